package redact

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/redact/corpus"
)

func TestTextShowsWhatWasThere(t *testing.T) {
	r := mustNew(t)
	for _, c := range []struct{ in, out string }{
		{"dial tcp 10.1.2.3:7234: connect: connection refused", "dial tcp [redacted:ip]:7234: connect: connection refused"},
		{"dial tcp [2001:db8::7]:7234: i/o timeout", "dial tcp [[redacted:ip]]:7234: i/o timeout"},
		{"postgres://temporal:hunter2@pg:5432/temporal", "postgres://[redacted:url-credentials]@pg:5432/temporal"},
		{"postgres://john@db.example.com/temporal", "postgres://[redacted:url-credentials]@db.example.com/temporal"},
		{"host=pg user=temporal password=hunter2 dbname=temporal", "host=pg user=[redacted:database-user] password=[redacted:password] dbname=temporal"},
		{"failed to connect to `user=temporal database=temporal`: hostname resolving error", "failed to connect to `user=[redacted:database-user] database=temporal`: hostname resolving error"},
		{`{"password":"a \"quoted\" one","pool":20}`, `{"password":"[redacted:password]","pool":20}`},
		{`"{\"password\":\"hunter2\",\"pool\":20}"`, `"{\"password\":\"[redacted:password]\",\"pool\":20}"`},
		{`{"password":"back\\","pool":"a"}`, `{"password":"[redacted:password]","pool":"a"}`},
		{`{"password":"cut off`, `{"password":"[redacted:password]`},
		{"ALTER ROLE temporal PASSWORD 'hunter2'", "ALTER ROLE temporal PASSWORD '[redacted:password]'"},
		{"{Host:pg Password:hunter2 TLS:true}", "{Host:pg Password:[redacted:password] TLS:true}"},
		{"{password=hunter2,user=temporal}", "{password=[redacted:password],user=temporal}"},
		{"arn:aws:iam::210987654321:role/temporal", "arn:aws:iam::[redacted:aws-account]:role/temporal"},
		{"ip-10-1-2-3.ec2.internal is gone", "ip-[redacted:ip].ec2.internal is gone"},
		{"mail to jane.doe@example.com bounced", "mail to [redacted:email] bounced"},
		{"identity 17@worker-0.example.com", "identity 17@worker-0.example.com"},
		{"Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: [redacted:authorization]"},
		{`{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"IkphbmUi"}`, `{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"[redacted:payload]"}`},
		{"run 01a2109a-3cab-7478-be65-f272cabaf7fa", "run 01a2109a-3cab-7478-be65-f272cabaf7fa"},
		{"Connection refused: frontend/10.1.2.3:7233", "Connection refused: frontend/[redacted:ip]:7233"},
		{"grpc-java/1.71.0.1", "grpc-java/1.71.0.1"},
		{"10.1.2.3-10.1.2.9", "[redacted:ip]-[redacted:ip]"},
		{"password=$DB_PASSWORD", "password=$DB_PASSWORD"},
		{"password=$2a$10$N9qo8uLOickgx2ZMRZoMye", "password=[redacted:password]"},
		{"", ""},
	} {
		if got := r.Text(c.in); got != c.out {
			t.Errorf("%s\n became %s\n     not %s", c.in, got, c.out)
		}
	}
}

func TestExtraRules(t *testing.T) {
	r, err := New(
		Rule{Name: "customer", Pattern: `\bcust-\d+`},
		Rule{Name: "tenant", Pattern: `tenant/(?P<secret>[a-z]+)/`},
	)
	if err != nil {
		t.Fatal(err)
	}
	const in = "cust-4711 of tenant/acme/orders at 10.1.2.3"
	const out = "[redacted:customer] of tenant/[redacted:tenant]/orders at [redacted:ip]"
	if got := r.Text(in); got != out {
		t.Errorf("%q became %q, not %q", in, got, out)
	}
}

func TestExtraRulesThatCannotBeUsed(t *testing.T) {
	_, err := New(
		Rule{Name: "customer", Pattern: `cust-\d+`},
		Rule{Name: "Not A Kind", Pattern: `x`},
		Rule{Name: "lookahead", Pattern: `(?=x)y`},
		Rule{Name: "everywhere", Pattern: `x*`},
		Rule{Name: "nothing"},
		Rule{Name: "email", Pattern: `x`},
		Rule{Name: "customer", Pattern: `y`},
	)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`redaction rule "Not A Kind" with pattern "x": the name must be 1 to 64 lower-case letters`,
		`redaction rule "lookahead" with pattern "(?=x)y": error parsing regexp`,
		`redaction rule "everywhere" with pattern "x*": the pattern matches the empty text`,
		`redaction rule "nothing" with pattern "": the pattern is empty`,
		`redaction rule "email" with pattern "x": the name is taken`,
		`redaction rule "customer" with pattern "y": the name is taken`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), `cust-\\d+`) {
		t.Errorf("the error names a rule that is good:\n%v", err)
	}
}

func TestTooManyExtraRules(t *testing.T) {
	rules := make([]Rule, maxDetectors)
	for i := range rules {
		rules[i] = Rule{Name: fmt.Sprint("rule-", i), Pattern: "x"}
	}
	if _, err := New(rules...); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("the error is %v", err)
	}
}

func TestALongTextIsCut(t *testing.T) {
	r := mustNew(t)
	m := corpus.NewMaker(2)
	secret := m.Of(corpus.Letters, 20)
	for _, s := range []string{
		strings.Repeat("x ", MaxText) + "password=" + secret,
		strings.Repeat("x", MaxText-12) + " password=" + secret + strings.Repeat(" y", MaxText),
		"password=" + secret + strings.Repeat(" 10.1.2.3", MaxText/9),
		strings.Repeat("10.1.2.3 ", 1<<17),
		strings.Repeat("é", MaxText),
	} {
		out := r.Text(s)
		if len(out) > MaxText || !strings.HasSuffix(out, mark(kindRest)) || strings.Contains(out, secret[:4]) || !utf8.ValidString(out) {
			t.Errorf("%d bytes became %d, ending in %q", len(s), len(out), out[max(0, len(out)-80):])
		}
		if again := r.Text(out); again != out {
			t.Errorf("redacted again the text is another: %d bytes, then %d", len(out), len(again))
		}
	}
}

// TestLongInputsEnd gives the rules a mebibyte of what costs them most. Without
// a bound the slowest takes minutes.
func TestLongInputsEnd(t *testing.T) {
	r := mustNew(t)
	var all strings.Builder
	for _, word := range r.keywords.words {
		all.WriteString(word.word + " = ")
	}
	for name, s := range map[string]string{
		"every keyword": all.String(),
		"one run":       "a1B",
		"hex":           "0123456789abcdef",
		"quotes":        `"password":\"`,
		"ats":           "a@",
		"dots":          "1.1.1.1.",
		"colons":        "1::",
		"cards":         "4000 0000 0000 0002 ",
		"marks":         "[redacted:ip]",
		"opened marks":  "[redacted:",
		"pem":           "-----BEGIN PRIVATE KEY-----",
		"payloads":      `encoding data:"\"`,
		"invalid":       "password=\xff\xfe ",
	} {
		long := strings.Repeat(s, 1<<20/len(s)+1)
		if out := r.Text(long); len(out) > MaxText {
			t.Errorf("%s: %d bytes are left", name, len(out))
		}
	}
}

func TestEveryPatternCompiles(t *testing.T) {
	r := mustNew(t)
	kinds := map[string]bool{}
	for i, d := range r.detectors {
		if d.kind == "" || d.find == nil {
			t.Errorf("detector %d is not complete", i)
		}
		if !ruleName.MatchString(d.kind) {
			t.Errorf("%q cannot stand in a mark", d.kind)
		}
		for _, word := range d.keywords {
			if word != strings.ToLower(word) || len(word) == 0 {
				t.Errorf("%s: the keyword %q is not in lower case", d.kind, word)
			}
		}
		d.find(newText("some text"), func(int, int) {})
		kinds[d.kind] = true
	}
	if len(gitleaksRules) < 200 || len(kinds) < 200 {
		t.Errorf("there are only %d published rules and %d kinds", len(gitleaksRules), len(kinds))
	}
}

func TestConcurrentUse(t *testing.T) {
	r := mustNew(t)
	templates := lines(t, "positives.txt")
	var group sync.WaitGroup
	for seed := range uint64(4) {
		m := corpus.NewMaker(seed)
		filled := make([]string, 0, len(templates))
		for _, template := range templates {
			filled = append(filled, fill(t, m, template).Text)
		}
		group.Go(func() {
			for _, line := range filled {
				_ = r.Text(line)
			}
		})
	}
	group.Wait()
}

// TestNothingRedactedIsLeft fills the corpus with other values each time.
func TestNothingRedactedIsLeft(t *testing.T) {
	r := mustNew(t)
	templates := lines(t, "positives.txt")
	rapid.Check(t, func(rt *rapid.T) {
		c := fill(t, corpus.NewMaker(rapid.Uint64().Draw(rt, "seed")), rapid.SampledFrom(templates).Draw(rt, "template"))
		out := r.Text(c.Text)
		for _, f := range r.Find(c.Text) {
			if secret := c.Text[f.From:f.To]; len(secret) > 5 && strings.Contains(out, secret) {
				rt.Errorf("%s is left in %s", secret, out)
			}
		}
		for _, v := range c.Values {
			if secret := c.Text[v.From:v.To]; strings.Contains(out, secret) {
				rt.Errorf("%s is left in %s", secret, out)
			}
		}
		if again := r.Text(out); again != out {
			rt.Errorf("%s\nbecame\n%s\nand then\n%s", c.Text, out, again)
		}
	})
}

// TestAnyText builds texts of pieces that mean something to the rules, and of
// any characters.
func TestAnyText(t *testing.T) {
	r := mustNew(t)
	m := corpus.NewMaker(3)
	var fragments []string
	for _, name := range corpus.Names() {
		fragments = append(fragments, fill(t, m, "{{"+name+"}}").Text)
	}
	for _, word := range r.keywords.words {
		fragments = append(fragments, word.word, strings.ToUpper(word.word))
	}
	fragments = append(fragments, "[redacted:ip]", "[redacted:password]", "[redacted:", "]", "[", "password=", "token: ", `"`, `\"`, "'", " ", ":", "://", "@", "=", ",", "\n", `\n`, "+", "1.2.3.4", "::", "é", "\xff", "=>", "Bearer ", "-----")
	piece := rapid.OneOf(rapid.SampledFrom(fragments), rapid.String(), rapid.StringMatching(`[0-9A-Fa-f:. -]{1,40}`))
	rapid.Check(t, func(rt *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(rt, "pieces"), "")
		findings := r.Find(s)
		out := r.Text(s)
		at := 0
		for _, f := range findings {
			if f.From < at || f.To <= f.From || f.To > len(s) {
				rt.Fatalf("%v is out of order or of range in %q", findings, s)
			}
			at = f.To
		}
		if len(findings) == 0 && out != s {
			rt.Errorf("nothing was found, but\n%q\nbecame\n%q", s, out)
		}
		if utf8.ValidString(s) && !utf8.ValidString(out) {
			rt.Errorf("%q\nbecame invalid:\n%q", s, out)
		}
		if again := r.Text(out); again != out {
			rt.Errorf("%q\nbecame\n%q\nand then\n%q", s, out, again)
		}
		if left := r.Find(out); len(left) > 0 {
			rt.Errorf("in %q there is still %v", out, left)
		}
	})
}

func mustNew(t testing.TB) *Redactor {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const plainLine = `{"level":"error","ts":"2026-01-14T09:12:44.125Z","msg":"Operation failed with internal error.","error":"GetTransferTasks operation failed. Select failed. Error: context deadline exceeded","operation":"GetTransferTasks","shard-id":3,"logging-call-at":"/go/pkg/mod/go.temporal.io/server@v1.32.1/common/persistence/client.go:1234"}`

func BenchmarkLineWithoutSecrets(b *testing.B) {
	r := mustNew(b)
	b.SetBytes(int64(len(plainLine)))
	for b.Loop() {
		_ = r.Text(plainLine)
	}
}

func BenchmarkLineWithSecrets(b *testing.B) {
	r := mustNew(b)
	const line = `{"level":"error","ts":"2026-01-14T09:12:44.125Z","msg":"sql handle: unable to refresh database connection pool","error":"cannot connect to postgres://temporal:hunter2@pg.internal:5432/temporal: dial tcp 10.1.2.3:5432: connect: connection refused","logging-call-at":"/go/pkg/mod/go.temporal.io/server@v1.32.1/db_handle.go:99"}`
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		_ = r.Text(line)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		_ = mustNew(b)
	}
}
