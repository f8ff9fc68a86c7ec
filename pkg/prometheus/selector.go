package prometheus

import "regexp"

// matcherList is a list of PromQL label matchers as people write them.
var matcherList = regexp.MustCompile(`^\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"([^"\\]|\\.)*"\s*(,\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"([^"\\]|\\.)*"\s*)*,?\s*$`)

// checkSelector refuses what would not be a list of matchers inside braces,
// so that a selector cannot change the meaning of a query.
func checkSelector(selector string) error {
	if selector == "" || matcherList.MatchString(selector) {
		return nil
	}
	return &ConfigError{Field: "selector", Value: selector, Remedy: `want PromQL matchers without braces, such as cluster="prod",region="eu"`}
}
