package redact

import (
	"regexp"
	"strings"
)

// awsDetectors find the number of an AWS account where the place says that it
// is one, and session tokens by their beginning.
func awsDetectors() []detector {
	return []detector{
		{kind: "aws-account", keywords: []string{"arn:aws", "amazonaws.com", "account", "owner", "principal", ".ddb."}, find: findAccounts},
		pattern("aws-session-token", []string{"iqojb3jpz2lu", "fwogzxivyxdz"},
			`(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/%]{4,}={0,2}`, 0, nil),
	}
}

var (
	accountBefore = regexp.MustCompile(`arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:$` +
		`|sqs\.[a-z0-9-]+\.amazonaws\.com/$` +
		`|(?:account|owner|principal)[ _-]?(?:id|number|no)?[\\"'` + "`" + `]*[ \t]*[:=]?[ \t]*[\\"'` + "`" + `(]*$`)
	accountBehind = regexp.MustCompile(`^\.(?:dkr\.ecr|s3-control|ddb)\.`)
)

// findAccounts finds twelve digits in an ARN, in the name of a registry, in the
// URL of a queue, or behind a name. The rest of these stays: regions and
// resources tell an operator where to look.
func findAccounts(t text, add func(from, to int)) {
	const context = 80
	runs(t.s, isDigit, func(from, to int) {
		if to-from != 12 || wordBefore(t.s, from) || wordAt(t.s, to) {
			return
		}
		before := t.lower[max(0, from-context):from]
		if accountBefore.MatchString(before) || strings.HasPrefix(t.lower[to:], ".") && accountBehind.MatchString(t.lower[to:]) {
			add(from, to)
		}
	})
}
