package loki

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/pkg/redact"
)

var (
	varyingHere       = regexp.MustCompile(varying)
	varyingSecretHere = regexp.MustCompile(varyingSecret)
)

// asLoki makes of a message and an error what the query has Loki make of them;
// that it does is tested on a real one.
func asLoki(message, failure string) string {
	text := cutHere(message, 300) + separator + cutHere(failure, 600)
	low := strings.ToLower(text)
	if slices.ContainsFunc(secretSigns, func(sign string) bool { return strings.Contains(low, sign) }) {
		return varyingSecretHere.ReplaceAllString(text, secretVariedBy)
	}
	return varyingHere.ReplaceAllString(text, variedBy)
}

func cutHere(text string, most int) string {
	if characters := []rune(text); len(characters) > most {
		return string(characters[:most]) + " " + cutMark
	}
	return text
}

// redacting is a scanner with the rules of package redact and more.
func redacting(t testing.TB, rules ...redact.Rule) *Scanner {
	t.Helper()
	r, err := redact.New(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return scanner(t, "http://localhost:1", func(c *Config) { c.Redact = r.Text })
}

func TestNoPartOfASecretIsLeft(t *testing.T) {
	s := redacting(t)
	slack := "xo" + "xb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"
	jwt := "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIi-12345-wibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf-36-POk6yJV_adQssw5c"
	long := strings.Repeat("padding of the text ", 13)
	for text, want := range map[string]string{
		"slack says no to " + slack + " today":                       "slack says no to <*> today",
		"login failed with password=2024-Summer-Rain for the bank":   "login failed with password=<*> for the bank",
		"login failed with password=12,Summer;Rain(x)y for the bank": "login failed with password=<*> for the bank",
		"login failed with password=Summer for the bank":             "login failed with password=[redacted:password] for the bank",
		`rejected {"password":"a b 7 c","user":"x"}`:                 `rejected {"password":<*>,<*>:<*>}`,
		"DB1_PASSWORD=Summer is wrong":                               "<*> is wrong",
		"sent token " + jwt + " away":                                "sent token <*> away",
		"from jane.doe@example.com":                                  "from [redacted:email]",
		"from jane.doe.7@example.com":                                "from <*>",
		"at postgres://temporal:hun,7(er@db.example.com/x: refused":  "at <*>: refused",
		"at postgres://temporal:hunter@db.example.com/x: refused":    "at postgres://[redacted:url-credentials]@db.example.com/x: refused",
		"open temporal:hun7,er@tcp(db.internal:3306)/temporal":       "open <*>db.internal:<*>)/temporal",
		"call +49 170 1234567":                                       "call <*> <*> <*>",
		"peer fdab:cdef:1234::1 is gone":                             "peer <*> is gone",
		"Cookie: connect.sid=2xknl5rAr7JhQReB; theme=dark":           "Cookie: <*>",
		`{"metadata":{"encoding":"json"},"data":"\"jane doe\""}`:     `{<*>:{<*>:<*>},"data":<*>}`,
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE12\nabcdef\n-----END":  "<*>",
		long + "at postgres://temporal:hunterhunterhunter@db/x":      long + "at <*>",
		long + "customer of the mail  jane.elisabeth.doe@db.example": long + "customer of the mail  <*>",
	} {
		got := s.template(map[string]string{"c_text": asLoki(text, text)})
		if got.Message != want || len(text) < 300 && got.Error != want {
			t.Errorf("of %q is left\n %q and %q, want\n %q", text, got.Message, got.Error, want)
		}
	}
}

func TestWhatIsNoTextIsRedactedToo(t *testing.T) {
	s := redacting(t, redact.Rule{Name: "customer", Pattern: "CUST-[0-9]{8}"})
	got := s.template(map[string]string{
		"c_svc": "jane@example.com", "c_level": "jane@example.com", "c_text": "x" + separator, "c_comp": "jane@example.com",
		"c_life": "jane@example.com", "c_ns": "jane@example.com", "c_tq": "CUST-12345678",
	})
	for name, part := range map[string]string{"service": got.Service, "level": got.Level, "component": got.Component, "lifecycle": got.Lifecycle, "namespace": got.Namespace} {
		if part != "[redacted:email]" {
			t.Errorf("%s is %q", name, part)
		}
	}
	if got.TaskQueue != "[redacted:customer]" {
		t.Errorf("task queue is %q", got.TaskQueue)
	}
	for _, usual := range []string{"orders", "billing-v2", "temporal-sys-per-ns-tq", "Team_A.7", "注文"} {
		if got := s.template(map[string]string{"c_text": "x", "c_ns": usual, "c_tq": usual}); got.Namespace != usual || got.TaskQueue != usual {
			t.Errorf("%q became %q and %q", usual, got.Namespace, got.TaskQueue)
		}
	}
}

// What the catalogue tells lines by must get through.
func TestTextsOfTheCatalogueStay(t *testing.T) {
	for _, p := range narrative.Catalogue() {
		for _, m := range p.Match {
			for _, text := range slices.Concat(m.Message, m.Error) {
				line := "x " + text + " x"
				if strings.HasPrefix(text, "SQLSTATE ") {
					line = text + "000" // the texts are of classes of states
				}
				if got := asLoki(line, ""); !strings.Contains(got, text) {
					t.Errorf("%s: %q became %q", p.ID, text, got)
				}
			}
		}
	}
}

// Templates are compared with their words made general; a part of that is done
// inside Loki.
func TestNormaliseAgrees(t *testing.T) {
	for _, line := range []string{
		"dial tcp 10.0.0.7:5432: connect: connection refused",
		"read tcp 127.0.0.1:47824->127.0.0.1:26452: read: connection reset by peer",
		"Task queue range ID was 7 when it was should have been 8",
		"lockAndCheckExecution failed. Next_event_id was 12 when it should have been 14.",
		"run 3f2504e0-4f89-11d3-9a0c-0305e82c3301 of shard-12 is gone after 12.5s",
		"Shard is owned by:10.0.0.7:7234 but not by 10.0.0.8:7234",
		"at 2026-11-25T02:46:33.067Z the 3rd of 5, 50% of 7,8 in map[a:1 b:2]!",
		"temporal-history-7f9c5d6b4-x2vqp is unreachable at http://10.0.0.7:80/x: x509: no HTTP2 (attempt=3, key=12)",
		"please retry: (OC000) (SQLSTATE 40001) [TMPRL1101] Potential deadlock",
	} {
		text, _, _ := strings.Cut(asLoki(line, ""), separator)
		text = keptCode.ReplaceAllString(text, "$1")
		if inLoki, here := narrative.Normalise(text), narrative.Normalise(line); inLoki != here {
			t.Errorf("%q\nfrom Loki %q\nhere      %q", line, inLoki, here)
		}
	}
}

func TestNothingActsOnATerminal(t *testing.T) {
	s := redacting(t)
	dirty, want := "a\x1b[31mb\ac\u009bd\te\nf", "a [31mb c d\te\nf"
	got := s.template(map[string]string{"c_svc": dirty, "c_text": dirty + separator + dirty, "c_comp": dirty, "c_ns": dirty, "c_tq": dirty, "c_level": dirty, "c_life": dirty})
	for _, text := range []string{got.Service, got.Level, got.Message, got.Error, got.Component, got.Lifecycle, got.Namespace, got.TaskQueue, s.short(dirty)} {
		if text != want {
			t.Errorf("left %q", text)
		}
	}
}
