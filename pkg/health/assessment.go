package health

import (
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Outcome is the answer of a gate.
type Outcome string

// The outcomes of a gate.
const (
	Pass Outcome = "pass"
	Fire Outcome = "fire"
	// Undecided (written "unknown") means that a signal the gate reads is
	// missing; an undecided gate neither accuses nor acquits.
	Undecided Outcome = "unknown"
)

// Rule is the constant part of a gate: the same at every scope and instant.
type Rule struct {
	// ID names the rule, as in "progress.head_of_line".
	ID string `json:"id"`
	// Question is what the rule asks, for people.
	Question string `json:"question"`
	// Unit is that of the value and the limit.
	Unit string `json:"unit,omitempty"`
	// Signals are those that the rule reads.
	Signals []SignalID `json:"signals"`
	// Doctrine is the one sentence that the limit rests on; Source names
	// where it comes from.
	Doctrine string `json:"doctrine"`
	Source   string `json:"source"`
	// level is what a gate argues for unless it says otherwise.
	level State
}

// Gate is one rule's answer at one scope. An assessment carries every gate,
// fired or not, so that the verdict can be audited (requirement R12.5).
type Gate struct {
	// Rule is never nil in an assessment. Gates of one rule share it: it is not
	// to be changed.
	*Rule
	Scope   Scope   `json:"scope,omitzero"`
	Outcome Outcome `json:"outcome"`
	// Level is the state that the gate argues for when it fires; Happy for a
	// gate that only explains.
	Level State `json:"level"`
	// Value was compared with Limit, both in the rule's unit; nil when unknown.
	Value *float64 `json:"value,omitempty"`
	Limit *float64 `json:"limit,omitempty"`
	// Window is the time that the rule looked back over.
	Window time.Duration `json:"window_ns,omitempty"`
	// Finding is what was found here and now, in one sentence.
	Finding string `json:"finding,omitempty"`
}

// Progress is how work flows through a scope.
type Progress struct {
	// Asked and Served are in tasks a second. Nil when not known.
	Asked  *float64 `json:"asked_per_sec,omitempty"`
	Served *float64 `json:"served_per_sec,omitempty"`
	// Waiting counts the tasks that wait; OldestSec is the age in seconds of
	// the oldest of them. Nil when not known.
	Waiting   *float64 `json:"waiting,omitempty"`
	OldestSec *float64 `json:"oldest_sec,omitempty"`
	// Pollers counts the polls open at the queue, as the server sees them.
	Pollers *float64 `json:"pollers,omitempty"`
	// Share is the scope's part of the cluster's demand, from 0 to 1.
	Share float64 `json:"share_of_demand"`
	// Trend is Served over the last observations, oldest first.
	Trend []float64 `json:"trend,omitempty"`
}

// ScopeVerdict is the verdict on one part of the cluster.
type ScopeVerdict struct {
	Scope
	State State `json:"state"`
	// Since is when the scope took this state.
	Since instant.Instant `json:"since"`
	// Bottleneck names the layer that makes this scope's work wait.
	Bottleneck Bottleneck `json:"bottleneck,omitempty"`
	Progress   Progress   `json:"progress,omitzero"`
	// Gates are the ids of the gates that fired here.
	Gates []string `json:"gates_fired,omitempty"`
}

// IssueStatus is a place in the life of an issue.
type IssueStatus string

// The life of an issue.
const (
	IssueOpen     IssueStatus = "open"
	IssueResolved IssueStatus = "resolved"
)

// Issue is one thing that is wrong, followed from its first sight to its end.
type Issue struct {
	// ID is the issue's fingerprint: the same trouble at the same scope has
	// the same id in every assessment.
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Scope Scope  `json:"scope,omitzero"`
	// Severity is the state that the issue argues for; Happy for a remark.
	Severity State       `json:"severity"`
	Status   IssueStatus `json:"status"`
	Title    string      `json:"title"`
	Detail   string      `json:"detail,omitempty"`
	// Gates are the ids of the gates that the issue rests on.
	Gates      []string        `json:"gates"`
	OpenedAt   instant.Instant `json:"opened_at"`
	ChangedAt  instant.Instant `json:"changed_at"`
	ResolvedAt instant.Instant `json:"resolved_at,omitzero"`
	// Seen counts the evaluations that showed the evidence, Quiet those since
	// it was last shown.
	Seen  int `json:"seen"`
	Quiet int `json:"quiet,omitempty"`
	// Actions are the suggested remedies (requirement R10.1).
	Actions []Action `json:"suggested_actions,omitempty"`
}

// ActionType is what an action would do (requirement R10.2).
type ActionType string

// The types of action.
const (
	ActionScale     ActionType = "scale"
	ActionRestart   ActionType = "restart"
	ActionConfigure ActionType = "configure"
	ActionAlert     ActionType = "alert"
)

// Risk is what an action may cost when it is wrong.
type Risk string

// The levels of risk.
const (
	RiskNone   Risk = "none"
	RiskLow    Risk = "low"
	RiskMedium Risk = "medium"
	RiskHigh   Risk = "high"
)

// Action is a suggestion, structured for later automation. Nothing in this
// system carries one out.
type Action struct {
	// ID names the entry of the action catalogue.
	ID   string     `json:"id"`
	Type ActionType `json:"type"`
	// Action is the suggestion in words (the name is requirement R6.2's).
	Action string `json:"action"`
	Target Scope  `json:"target,omitzero"`
	// Parameters are what an executor would need; keys depend on Type. Where the
	// action is for several parts of Target, "of" holds their names, joined by
	// commas.
	Parameters map[string]string `json:"parameters,omitempty"`
	Risk       Risk              `json:"risk"`
	// Confidence is from 0 to 1.
	Confidence float64 `json:"confidence"`
	// Gates are the ids of the gates that justify the action.
	Gates []string `json:"gates"`
	// Guide names the runbook that explains it.
	Guide string `json:"guide,omitempty"`
}

// Transition is a change of the cluster's state.
type Transition struct {
	From State           `json:"from"`
	To   State           `json:"to"`
	At   instant.Instant `json:"at"`
	// Gates are the ids of the gates that had fired (requirement R12.5).
	Gates []string `json:"gates_fired"`
}

// Explanation is the assessment in words.
type Explanation struct {
	// By says who wrote it: "rules" or the model's name.
	By string `json:"by"`
	// Summary is two or three sentences.
	Summary string `json:"summary"`
	// Changed says since when the state holds, and what came first.
	Changed string `json:"changed,omitempty"`
	// Factors are the ranked reasons.
	Factors []Factor `json:"factors,omitempty"`
	// Logs is what the logs say beside the factors, the most telling first.
	Logs []string `json:"logs,omitempty"`
	// Avoid lists what must not be done now.
	Avoid []string `json:"avoid,omitempty"`
	// WouldChange says what would change the verdict.
	WouldChange string `json:"would_change,omitempty"`
}

// Factor is one reason for the verdict.
type Factor struct {
	Text  string `json:"text"`
	Gate  string `json:"gate"`
	Scope Scope  `json:"scope,omitzero"`
}

// Assessment is the verdict on a cluster at an instant, with all that it
// rests on.
type Assessment struct {
	Cluster string          `json:"cluster"`
	At      instant.Instant `json:"observed_at"`
	State   State           `json:"health_state"`
	// Raw is what this observation alone argues for, before hysteresis.
	Raw State `json:"raw_state"`
	// Since is when the cluster took State.
	Since instant.Instant `json:"since"`
	// Transition is set when this evaluation changed the state.
	Transition *Transition `json:"transition,omitempty"`
	Bottleneck Bottleneck  `json:"bottleneck"`
	// Confidence and Coverage are from 0 to 1; docs/health-model.md has the
	// formula.
	Confidence float64 `json:"confidence"`
	Coverage   float64 `json:"coverage"`
	// Blind means that the state is held because nothing can be seen now.
	Blind       bool   `json:"blind"`
	BlindReason string `json:"blind_reason,omitempty"`
	// SeenAt is the last instant at which the cluster could be seen.
	SeenAt instant.Instant `json:"seen_at"`
	// IntervalSec is the time since the evaluation before this one, in seconds;
	// 30 for the first and after a gap.
	IntervalSec float64        `json:"interval_sec"`
	Progress    Progress       `json:"progress"`
	Scopes      []ScopeVerdict `json:"scopes"`
	Gates       []Gate         `json:"gates"`
	Issues      []Issue        `json:"issues"`
	Actions     []Action       `json:"actions"`
	// Logs is what the logs tell; nil where no log source is configured.
	Logs        *Narrative  `json:"logs,omitempty"`
	Explanation Explanation `json:"explanation"`
}

// GatesFired returns the ids of the gates that fired, each once, gravest first.
func (a *Assessment) GatesFired() []string {
	fired := make([]string, 0, len(a.Gates))
	for i := range a.Gates {
		if g := &a.Gates[i]; g.Outcome == Fire && !slices.Contains(fired, g.ID) {
			fired = append(fired, g.ID)
		}
	}
	return fired
}

// Impaired returns the scopes that are not well, worst first.
func (a *Assessment) Impaired() []ScopeVerdict {
	impaired := make([]ScopeVerdict, 0, len(a.Scopes))
	for _, s := range a.Scopes {
		if s.State >= Stressed {
			impaired = append(impaired, s)
		}
	}
	return impaired
}
