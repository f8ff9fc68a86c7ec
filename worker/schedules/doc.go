// Package schedules keeps the Temporal Schedules of a deployment as its
// configuration wants them: for each monitored cluster one that asks for
// assessments ("assess/<cluster>", requirement R9.1) and one that deletes old
// history ("retain/<cluster>", requirement R5.3).
//
// A deployment is all workers of one task queue. Schedules of other task queues
// are left alone.
package schedules
