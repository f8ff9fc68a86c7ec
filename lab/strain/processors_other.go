//go:build !linux

package strain

// processors is not known here.
func processors() (usage, bool) { return usage{}, false }
