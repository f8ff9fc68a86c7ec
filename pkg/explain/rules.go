package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/temporal-sre/copilot/pkg/health"
)

// maxFactors bounds the ranked reasons: a tired reader takes in no more.
const maxFactors = 5

// Of what is asked, less than almostNone served is as good as nothing, and more
// than almostAll as good as all, for the choice of words.
const almostNone, almostAll = 0.05, 0.95

// Rules writes the explanation of an assessment from its own gates and
// scopes. It is pure: the same assessment gives the same text.
func Rules(a *health.Assessment) health.Explanation {
	return health.Explanation{
		By:          "rules",
		Summary:     summary(a),
		Changed:     changed(a),
		Factors:     factors(a),
		Logs:        logs(a),
		Avoid:       avoid(a),
		WouldChange: wouldChange(a),
	}
}

// summary is two or three sentences: what is wrong, how much of it, and what
// is still well.
func summary(a *health.Assessment) string {
	switch {
	case a.Blind && a.State == health.Unknown:
		return "Nothing can be said: " + a.BlindReason + "."
	case a.Blind:
		return fmt.Sprintf("Blind for %s: %s. The last verdict, %s, is held and fading; it says nothing about now.",
			health.Ago(a.At.Sub(a.SeenAt)), a.BlindReason, a.State)
	case a.State == health.Happy && a.Raw == health.Happy:
		return happy(a)
	}
	if a.State == health.Happy {
		return happy(a) + " " + firstSigns(a)
	}
	var sentences []string
	stopped, behind := queues(a, health.Critical), queues(a, health.Stressed)
	gates := clusterFindings(a)
	switch {
	case len(stopped) > 0:
		sentences = append(sentences, stoppedQueues(a, stopped))
	case len(behind) > 0 && a.Raw > health.Happy:
		sentences = append(sentences, behindQueues(behind))
	}
	for _, finding := range gates {
		if len(sentences) < 3 {
			sentences = append(sentences, sentence(finding))
		}
	}
	if a.Raw == health.Happy {
		sentences = append(sentences, "The evidence is gone; the state steps down once it stays away.")
	}
	if rest := stillWell(a); rest != "" && len(sentences) < 3 {
		sentences = append(sentences, rest)
	}
	return strings.Join(sentences, " ")
}

// happy tells of rates, or of idleness, and of a remark if there is one.
func happy(a *health.Assessment) string {
	p := a.Progress
	waiting := p.Waiting != nil && *p.Waiting > 0
	var text string
	switch {
	case p.Asked == nil && a.SeenAt.IsZero():
		text = "What is asked of the cluster is not known."
	case (p.Asked == nil || *p.Asked == 0) && !waiting:
		text = "The cluster is idle: nothing is asked of it and nothing waits."
	case p.Asked == nil:
		text = fmt.Sprintf("%.0f tasks wait.", *p.Waiting)
	case p.Served == nil:
		text = fmt.Sprintf("%s tasks a second arrive.", rate(*p.Asked))
	default:
		text = fmt.Sprintf("%s tasks a second arrive and %s are served.", rate(*p.Asked), rate(*p.Served))
		if waiting && p.OldestSec != nil && *p.OldestSec > 0 {
			text += fmt.Sprintf(" The oldest waiting task is %s old.", health.AgoSeconds(*p.OldestSec))
		} else {
			text += " Nothing waits."
		}
	}
	for _, issue := range a.Issues {
		if issue.Severity == health.Happy && issue.Status == health.IssueOpen {
			return text + " One thing to watch: " + issue.Detail + ", which is not the cluster's doing."
		}
	}
	return text
}

// firstSigns tells of evidence that has not lasted long enough to count.
func firstSigns(a *health.Assessment) string {
	for i := range a.Gates {
		if g := &a.Gates[i]; g.Outcome == health.Fire && g.Level > health.Happy && g.Finding != "" {
			return "First signs of trouble, which count once they last: " + g.Finding + "."
		}
	}
	return "First signs of trouble, which count once they last."
}

// queues returns the task queues in a state, the largest share of demand
// first, as the assessment orders them.
func queues(a *health.Assessment, state health.State) []health.ScopeVerdict {
	var found []health.ScopeVerdict
	for _, s := range a.Scopes {
		if s.Kind == health.KindTaskQueue && s.TaskType == "" && s.State == state {
			found = append(found, s)
		}
	}
	return found
}

func names(scopes []health.ScopeVerdict) string {
	list := make([]string, 0, len(scopes))
	for i := range scopes {
		list = append(list, scopes[i].Name)
	}
	return health.List(list)
}

// stoppedQueues tells of the queues that are Critical: whether nothing moves on
// them, too little, or already all of it.
func stoppedQueues(a *health.Assessment, stopped []health.ScopeVerdict) string {
	share := 0.0
	var asked, served, waiting, oldest float64
	for _, s := range stopped {
		share += s.Progress.Share
		if s.Progress.Asked != nil && s.Progress.Served != nil {
			asked += *s.Progress.Asked
			served += *s.Progress.Served
		}
		if s.Progress.Waiting != nil {
			waiting += *s.Progress.Waiting
		}
		if s.Progress.OldestSec != nil {
			oldest = max(oldest, *s.Progress.OldestSec)
		}
	}
	text, one, many, because := "Task queue ", " has stopped", " have stopped", ": "
	switch {
	case served > 0 && served >= almostAll*asked:
		one, many, because = " had stopped and is catching up", " had stopped and are catching up", "; "
	case served > almostNone*asked:
		part := fmt.Sprintf(" of %s tasks a second that are asked for, %s are served", rate(asked), rate(served))
		one, many, because = ":"+part, ":"+part, "; "
	}
	if len(stopped) > 1 {
		text, one = "Task queues ", many
	}
	text += names(stopped) + one
	if reason := whyStopped(a, stopped); reason != "" {
		text += because + reason
	}
	text += "."
	var facts []string
	if waiting >= 1 {
		fact := fmt.Sprintf("%.0f tasks wait", waiting)
		if oldest >= 1 {
			fact += fmt.Sprintf(", the oldest for %s", health.AgoSeconds(oldest))
		}
		facts = append(facts, fact)
	}
	if share > 0 {
		facts = append(facts, fmt.Sprintf("%.0f %% of the cluster's demand", 100*share))
	}
	if len(facts) > 0 {
		text += " " + sentence(strings.Join(facts, "; "))
	}
	return text
}

// whyStopped names the reason that all the stopped queues share.
func whyStopped(a *health.Assessment, stopped []health.ScopeVerdict) string {
	shared := func(gate string) bool {
		for _, s := range stopped {
			found := false
			for i := range a.Gates {
				g := &a.Gates[i]
				found = found || g.Outcome == health.Fire && g.ID == gate && g.Scope.Queue() == s.Scope
			}
			if !found {
				return false
			}
		}
		return true
	}
	switch {
	case shared("pressure.polls_throttled"):
		return "the server refuses the polls of the workers"
	case shared("worker.pollers.none") && len(stopped) == 1:
		return "no worker polls it"
	case shared("worker.pollers.none"):
		return "no worker polls them"
	case shared("worker.slots.exhausted"):
		return "the workers have no free slot"
	case shared("progress.completing"):
		return "workers take tasks and answer none"
	}
	return ""
}

func behindQueues(behind []health.ScopeVerdict) string {
	var asked, served, oldest float64
	for _, s := range behind {
		p := s.Progress
		if p.Asked != nil && p.Served != nil {
			asked += *p.Asked
			served += *p.Served
		}
		if p.OldestSec != nil {
			oldest = max(oldest, *p.OldestSec)
		}
	}
	one, many := "falls behind", "fall behind"
	if served > asked {
		one, many = "is catching up", "are catching up"
	}
	text := "Task queue " + names(behind) + " " + one
	if len(behind) > 1 {
		text = "Task queues " + names(behind) + " " + many
	}
	text += fmt.Sprintf(": %s/s asked and %s/s served", rate(asked), rate(served))
	if oldest >= 1 {
		text += ", the oldest task waits for " + health.AgoSeconds(oldest)
	}
	return text + "."
}

// clusterFindings are the findings of the gates beside the queues' that argue
// for more than Happy, gravest first. That instances are down comes before all
// else, since it explains the rest, and is said of the whole server or of its
// services.
func clusterFindings(a *health.Assessment) []string {
	var down, others []string
	wholeServer := false
	for i := range a.Gates {
		g := &a.Gates[i]
		wholeServer = wholeServer || g.ID == "telemetry.targets_down" && g.Outcome == health.Fire && g.Scope.IsCluster()
		argues := g.Outcome == health.Fire && g.Level > health.Happy && g.Finding != "" && g.Scope.Kind != health.KindTaskQueue
		switch {
		case !argues || g.ID == "progress.demand_impaired":
		case g.ID != "telemetry.targets_down":
			others = append(others, g.Finding)
		case len(down) == 0 || !wholeServer:
			down = append(down, g.Finding)
		}
	}
	return append(down, others...)
}

// stillWell says what goes on as it should, which is what a reader asks next.
func stillWell(a *health.Assessment) string {
	var well []health.ScopeVerdict
	for _, s := range a.Scopes {
		p := s.Progress
		serves := p.Asked != nil && *p.Asked > 0 && p.Served != nil && *p.Served >= almostAll**p.Asked
		if s.Kind == health.KindTaskQueue && s.TaskType == "" && s.State == health.Happy && serves {
			well = append(well, s)
		}
	}
	if len(well) == 0 {
		return ""
	}
	return "Work on " + names(well) + " completes as it arrives."
}

// factors ranks what the verdict rests on: gravest gates first, those of the
// scopes with the most demand before the others. A gate that fired at several
// scopes is one factor, told of the first of them.
func factors(a *health.Assessment) []health.Factor {
	share := func(s health.Scope) float64 {
		for i := range a.Scopes {
			if a.Scopes[i].Scope == s {
				return a.Scopes[i].Progress.Share
			}
		}
		return 0
	}
	var fired []*health.Gate
	for i := range a.Gates {
		g := &a.Gates[i]
		explains := g.Level == health.Happy && a.State == health.Happy && g.ID != "business.failures"
		if g.Outcome == health.Fire && g.Finding != "" && !explains {
			fired = append(fired, g)
		}
	}
	slices.SortStableFunc(fired, func(x, y *health.Gate) int {
		return cmp.Or(cmp.Compare(y.Level, x.Level), cmp.Compare(share(y.Scope), share(x.Scope)))
	})
	ranked := make([]health.Factor, 0, maxFactors)
	for i, g := range fired {
		told := slices.ContainsFunc(fired[:i], func(earlier *health.Gate) bool { return alike(earlier, g) })
		if len(ranked) < maxFactors && !told {
			ranked = append(ranked, health.Factor{Text: g.Finding + likewise(g, fired[i+1:]), Gate: g.ID, Scope: g.Scope})
		}
	}
	return ranked
}

// alike tells whether two gates say the same, if of different scopes.
func alike(a, b *health.Gate) bool {
	return a.ID == b.ID && (a.Level == b.Level || a.Finding == b.Finding)
}

// likewise names the scopes of which other gates say the same.
func likewise(first *health.Gate, gates []*health.Gate) string {
	var others []string
	for _, g := range gates {
		name := g.Scope.Name
		if alike(first, g) && name != first.Scope.Name && g.Finding != first.Finding && !slices.Contains(others, name) {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return "; likewise " + health.List(others)
}

// changed says since when the state holds, and what of all that is wrong was
// seen first.
func changed(a *health.Assessment) string {
	if a.State == health.Unknown || a.Since.IsZero() {
		return ""
	}
	state := a.State.String()
	text := fmt.Sprintf("%s since %s", strings.ToUpper(state[:1])+state[1:], a.Since)
	if d := a.At.Sub(a.Since); d > 0 {
		text += fmt.Sprintf(", %s ago", health.Ago(d))
	}
	var first *health.Issue
	for i := range a.Issues {
		issue := &a.Issues[i]
		if issue.Status == health.IssueOpen && issue.Severity > health.Happy && (first == nil || issue.OpenedAt.Before(first.OpenedAt)) {
			first = issue
		}
	}
	if first != nil {
		text += fmt.Sprintf(". First seen at %s: %s", first.OpenedAt, first.Title)
	}
	return text + "." + harbinger(a)
}

// avoid lists what would make it worse.
func avoid(a *health.Assessment) []string {
	down := health.Action{Type: health.ActionScale, Parameters: map[string]string{"component": "worker", "direction": "down"}}
	var list []string
	if reason, forbidden := health.Forbidden(a, down); forbidden && a.State > health.Happy {
		list = append(list, "scale down any worker: "+reason)
	}
	if a.State == health.Critical && a.Bottleneck == health.BottleneckServer {
		list = append(list, "tune workers while the server is the bottleneck")
	}
	return list
}

// wouldChange says what the next step of the state needs.
func wouldChange(a *health.Assessment) string {
	if a.Blind {
		return "The first observation that sees the cluster again."
	}
	switch a.State {
	case health.Happy:
		return "Evidence in two of three evaluations leads to Stressed."
	case health.Stressed:
		if a.Raw == health.Critical {
			return "Evidence of impaired progress in three of four evaluations leads to Critical."
		}
		return "A few evaluations without evidence lead to Happy; half of the demand impaired leads to Critical."
	case health.Critical:
		return "Progress in three evaluations in a row leads to Stressed, and from there to Happy."
	}
	return ""
}

// sentence gives a text a capital and a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return capital(s) + "."
}

// rate writes events a second with as many digits as matter.
func rate(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
