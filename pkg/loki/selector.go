package loki

import "regexp"

const (
	quoted  = "(?:\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)"
	oneName = `[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=|!=|=~|!~)\s*` + quoted
)

// matcherList is a list of LogQL stream matchers as people write them.
var matcherList = regexp.MustCompile(`^\s*` + oneName + `\s*(?:,\s*` + oneName + `\s*)*,?\s*$`)

// checkSelector refuses what would not be a list of matchers inside braces, so
// that a selector cannot change the meaning of a query.
func checkSelector(selector string) error {
	if selector == "" || matcherList.MatchString(selector) {
		return nil
	}
	return &ConfigError{Field: "selector", Value: selector, Remedy: `want LogQL stream matchers without braces, such as job="temporal",cluster="prod"`}
}
