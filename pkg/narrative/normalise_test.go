package narrative_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/narrative"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		"Acquired shard":         "Acquired shard",
		"  two\n\twords  ":       "two words",
		"attempt 3 of 10":        "attempt <*> of <*>",
		"took 12.5ms, 3 retries": "took <*> retries",
		"dial tcp 10.0.0.7:5432: connect: connection refused": "dial tcp <*>: connect: connection refused",
		"read tcp 127.0.0.1:47824->127.0.0.1:26452: read":     "read tcp <*>-><*>: read",
		"dial tcp [fe80::1]:5432: i/o timeout":                "dial tcp [<*>]:<*>: i/o timeout",
		"run 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone":    "run <*> is gone",
		"at 0xc000012ab8":                                                    "at <*>",
		"at 2026-11-25T02:46:33.067Z it went":                                "at <*> it went",
		"temporal-history-7f9c5d6b4-x2vqp is unreachable":                    "<*> is unreachable",
		"workflow type \"Order\" is unknown":                                 "workflow type \"<*>\" is unknown",
		"namespace 'a b' and `c`":                                            "namespace '<*>' and `<*>`",
		"desc = \"transport: Error while dialing: dial tcp 10.0.0.7:7234\"":  "desc = \"transport: Error while dialing: dial tcp <*>\"",
		"it can't and doesn't":                                               "it can't and doesn't",
		"an open \"quote":                                                    "an open \"quote",
		"escaped \\\"name\\\" here":                                          "escaped \\\"<*>\\\" here",
		"cannot open /etc/temporal/config.yaml":                              "cannot open <*>",
		"input/output error":                                                 "input/output error",
		"see https://docs.temporal.io/nexus.":                                "see <*>.",
		"mail to sre@temporal.example now":                                   "mail to <*> now",
		"partitions 1, 2, 3 and 7,8":                                         "partitions <*> and <*>",
		"shards [shard-1 shard-2 shard-3]":                                   "shards [<*>]",
		"known names: \"a\", \"b\",\"c\"":                                    "known names: \"<*>\"",
		"please retry: (OC000) (SQLSTATE 40001)":                             "please retry: (OC000) (SQLSTATE 40001)",
		"[TMPRL1101] Potential deadlock":                                     "[TMPRL1101] Potential deadlock",
		"OC12345 and TMPRLabc1":                                              "<*> and <*>",
		"SQLSTATE <*>":                                                       "SQLSTATE <*>",
		"<*>.<*>.<*>.<*>:<*> and shard-<*>":                                  "<*> and <*>",
		"map[a:1 b:2]":                                                       "map[a:<*> b:<*>]",
		"owned by:10.0.0.7:7234 on db.internal:5432":                         "owned by:<*> on db.internal:<*>",
		"größer als 5 µs":                                                    "größer als <*> µs",
		"bad \xff byte":                                                      "bad \uFFFD byte",
		"received prior goaway: code: NO_ERROR, debug data: \"graceful_st\"": "received prior goaway: code: NO_ERROR, debug data: \"<*>\"",
	} {
		if got := narrative.Normalise(text); got != want {
			t.Errorf("Normalise(%q)\n = %q\nwant %q", text, got, want)
		}
	}
}

// texts are made of what the rules of Normalise look at.
func texts() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{
			"<*>", "<", "*", ">", " ", ", ", ",", ": ", ":", "-", "->", ".", "/", "\\", "\\\"", "\"", "'", "`", "@", "://", "[", "]", "(", "=", "\n",
			"shard", "SQLSTATE ", "40001", "OC000", "TMPRL1101", "10.0.0.7:5432", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "Order", "n't", "é", "\xff", "7",
		}),
		rapid.StringN(0, 6, 12),
	)
	return rapid.Map(rapid.SliceOfN(part, 0, 24), func(parts []string) string { return strings.Join(parts, "") })
}

func TestNormaliseTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		once := narrative.Normalise(text)
		if twice := narrative.Normalise(once); twice != once {
			t.Fatalf("%q\nonce  %q\ntwice %q", text, once, twice)
		}
		if strings.Count(text, " ") == len(text) && once != "" {
			t.Fatalf("of blanks it makes %q", once)
		}
	})
}

// digits is a replacement as it is made inside Loki, before lines are counted.
var digits = regexp.MustCompile(`\b[0-9]+`)

// TestNormaliseAgreesWithLoki: what was replaced inside Loki makes no other
// template than the line itself would have made.
func TestNormaliseAgreesWithLoki(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"dial tcp 10.0.0.7:5432: connect: connection refused",
		"Task queue range ID was 7 when it was should have been 8",
		"lockAndCheckExecution failed. Next_event_id was 12 when it should have been 14.",
		"run 3f2504e0-4f89-11d3-9a0c-0305e82c3301 of shard-12 is gone after 12.5s",
		"Shard is owned by:10.0.0.7:7234 but not by 10.0.0.8:7234",
		"at 2026-11-25T02:46:33.067Z the 3rd of 5",
	} {
		if inLoki, here := narrative.Normalise(digits.ReplaceAllString(line, "<*>")), narrative.Normalise(line); inLoki != here {
			t.Errorf("%q\nfrom Loki %q\nhere      %q", line, inLoki, here)
		}
	}
}

func BenchmarkNormalise(b *testing.B) {
	templates := realTemplates(b)
	b.ReportAllocs()
	for b.Loop() {
		for i := range templates {
			narrative.Normalise(templates[i].Message + ": " + templates[i].Error)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(templates)), "ns/template")
}
