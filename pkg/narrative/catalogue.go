package narrative

import "slices"

// Where messages were read. The versions are those that the tests' lines come
// from; older servers since 1.24 write the same ones unless a pattern says more.
const (
	server = "Temporal server 1.32.1, "
	goSDK  = "Temporal Go SDK 1.50.0, "
)

// Levels that several patterns share.
var (
	failing = []string{"warn", "error", "panic", "fatal"}
	informs = []string{"info"}
)

// Catalogue returns what is known of Temporal's logs, in the order in which a
// template is compared: the first that matches names it. What a worker or a
// process says of itself comes first, since an error in it is somebody's code;
// then what an error says of its cause, such as a connection refused, whoever
// met it; then what the message says of the part that failed.
func Catalogue() []Pattern {
	return slices.Concat(workerPatterns(), processPatterns(), eventPatterns(), outsidePatterns(), causePatterns(), partPatterns())
}
