package redact

import (
	"os"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/redact/corpus"
)

// TestTheTableIsOfThePinnedVersion notices a rule set that was raised in
// genrules/go.mod and not generated again. `go tool mage test` also compares
// the table itself.
func TestTheTableIsOfThePinnedVersion(t *testing.T) {
	read := func(name string) string {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	_, rest, _ := strings.Cut(read("genrules/go.mod"), "github.com/zricethezav/gitleaks/v8 ")
	version := strings.Fields(rest)[0]
	header, _, _ := strings.Cut(read("gitleaks.go"), "\n")
	if !strings.Contains(header, " "+version+";") {
		t.Errorf("genrules requires %s, but the table begins with: %s\nrun: go generate ./pkg/redact", version, header)
	}
}

// TestExamplesOfPublishedRules has one secret of each way in which a rule names
// its secret.
func TestExamplesOfPublishedRules(t *testing.T) {
	r := mustNew(t)
	m := corpus.NewMaker(4)
	hook := "https://acme.webhook." + "office.com/webhookb2/" + uuid(m) + "@" + uuid(m) + "/IncomingWebhook/" + m.Of(corpus.Lowers+corpus.Digits, 32) + "/" + uuid(m)
	sonar := m.Of(corpus.Lowers+corpus.Digits, 40)
	for _, c := range []struct{ in, out string }{
		{"post to " + hook + " failed", "post to [redacted:microsoft-teams-webhook] failed"},
		{"sonar.login=" + sonar, "sonar.login=[redacted:sonar-api-token]"},
		{"AWS key AKIA" + strings.Repeat("A", 16) + " has no entropy", "AWS key AKIA" + strings.Repeat("A", 16) + " has no entropy"},
		{"ask s." + m.Of(corpus.Lowers, 12) + "2" + m.Of(corpus.Lowers+corpus.Digits, 11) + " again", "ask [redacted:vault-service-token] again"},
	} {
		if got := r.Text(c.in); got != c.out {
			t.Errorf("%s\n became %s\n     not %s", c.in, got, c.out)
		}
	}
}

func uuid(m *corpus.Maker) string {
	return m.Of(corpus.Hexes, 8) + "-" + m.Of(corpus.Hexes, 4) + "-" + m.Of(corpus.Hexes, 4) + "-" + m.Of(corpus.Hexes, 4) + "-" + m.Of(corpus.Hexes, 12)
}
