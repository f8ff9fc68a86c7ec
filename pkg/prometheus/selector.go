package prometheus

import (
	"net/url"
	"regexp"
)

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

// clusterMatcher finds the matcher that names a cluster.
var clusterMatcher = regexp.MustCompile(`(?:^|,)\s*(?:cluster|k8s_cluster|k8s_cluster_name|kubernetes_cluster|cluster_name|temporal_cluster)\s*=\s*"((?:[^"\\]|\\.)*)"`)

// ClusterName is what to call a cluster that nobody named: what its selector
// says, or the host of the Prometheus that watches it.
func ClusterName(selector, rawURL string) string {
	if m := clusterMatcher.FindStringSubmatch(selector); m != nil {
		return m[1]
	}
	if u, err := url.Parse(rawURL); err == nil && u.Host != "" {
		return u.Host
	}
	return "default"
}
