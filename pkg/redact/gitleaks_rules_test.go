package redact

import (
	"os"
	"strings"
	"testing"
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
	m := newMaker(4)
	hook := "https://acme.webhook." + "office.com/webhookb2/" + m.uuid() + "@" + m.uuid() + "/IncomingWebhook/" + m.of(lowers+digits, 32) + "/" + m.uuid()
	sonar := m.of(lowers+digits, 40)
	for _, c := range []struct{ in, out string }{
		{"post to " + hook + " failed", "post to [redacted:microsoft-teams-webhook] failed"},
		{"sonar.login=" + sonar, "sonar.login=[redacted:sonar-api-token]"},
		{"AWS key AKIA" + strings.Repeat("A", 16) + " has no entropy", "AWS key AKIA" + strings.Repeat("A", 16) + " has no entropy"},
		{"ask s." + m.of(lowers, 12) + "2" + m.of(lowers+digits, 11) + " again", "ask [redacted:vault-service-token] again"},
	} {
		if got := r.Text(c.in); got != c.out {
			t.Errorf("%s\n became %s\n     not %s", c.in, got, c.out)
		}
	}
}

func (m *maker) uuid() string {
	return m.of(hexes, 8) + "-" + m.of(hexes, 4) + "-" + m.of(hexes, 4) + "-" + m.of(hexes, 4) + "-" + m.of(hexes, 12)
}
