// Package explain puts assessments into words. The explanation that the rules
// write is always there and is good without any model: the state, since when,
// where, why, what to do, what not to do, and what would change the verdict.
package explain
