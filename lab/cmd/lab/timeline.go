package main

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
)

var stateColours = map[health.State]lipgloss.Style{
	health.Unknown:  faint,
	health.Happy:    good,
	health.Stressed: lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	health.Critical: bad,
}

// timeline shows truth and verdicts side by side, a line for each evaluation,
// and what they come to.
func (t *terminal) timeline(truth *score.Truth, verdicts []api.Verdict, s *score.Score) {
	wrong := map[string][]string{}
	for _, w := range s.Wrong {
		at := w.Time.String()
		wrong[at] = append(wrong[at], fmt.Sprintf("%s: %s, want %s", w.What, w.Said, w.Want))
	}
	t.begin("Truth and verdict")
	t.line(strong.Render(fmt.Sprintf("%-6s %-26s %-9s %-15s %5s  %s", "", "truth", "verdict", "bottleneck", "sure", "")))
	fault := 0
	for i := range verdicts {
		v := &verdicts[i]
		for ; fault < len(truth.Faults) && !truth.Faults[fault].From.After(v.Time); fault++ {
			t.line(faint.Render(fmt.Sprintf("%s  ── %s", clockTime(truth.Faults[fault].From.Sub(truth.From)), truth.Faults[fault].Kind)))
		}
		t.line(evaluation(truth, v, wrong[v.Time.String()]))
	}
	t.totals(s)
}

// evaluation writes one line of the timeline.
func evaluation(truth *score.Truth, v *api.Verdict, wrong []string) string {
	want, transition := "", ""
	for _, interval := range truth.Intervals {
		if v.Time.Before(interval.From) || !v.Time.Before(interval.To) {
			continue
		}
		var names []string
		for _, state := range interval.States {
			names = append(names, state.String())
		}
		want = strings.Join(names, "|")
		if v.Time.Sub(interval.From) <= time.Duration(interval.Transition)*truth.Step() {
			transition = "~"
		}
	}
	said := v.HealthState.String()
	if v.Blind {
		said += "?"
	}
	line := fmt.Sprintf("%s  %-1s%-25s %s %-15s %4.0f%%", clockTime(v.Time.Sub(truth.From)), transition, want,
		stateColours[v.HealthState].Render(fmt.Sprintf("%-9s", said)), v.Bottleneck, 100*v.Confidence)
	if len(v.GatesFired) > 0 {
		line += "  " + faint.Render(strings.Join(v.GatesFired, " "))
	}
	var queues []string
	for _, part := range v.Impaired {
		if part.Kind == health.KindTaskQueue {
			queues = append(queues, part.Name+"="+part.State.String())
		}
	}
	if len(queues) > 0 {
		line += "  " + strings.Join(queues, " ")
	}
	if len(wrong) > 0 {
		line += "  " + bad.Render("✗ "+strings.Join(wrong, "; "))
	}
	return line
}

// totals writes what the verdicts come to.
func (t *terminal) totals(s *score.Score) {
	share := func(right, judged int) string {
		if judged == 0 {
			return "not judged"
		}
		return fmt.Sprintf("%5.1f %%  %d of %d", 100*float64(right)/float64(judged), right, judged)
	}
	t.begin("Score")
	t.line("right state        " + share(s.Right, s.Judged) + fmt.Sprintf(", %d in transition", s.Evaluations-s.Judged))
	t.line("right bottleneck   " + share(s.BottleneckRight, s.BottleneckJudged))
	t.line("right scopes       " + share(s.ScopeRight, s.ScopeJudged))
	if s.BlindJudged > 0 {
		t.line("right blindness    " + share(s.BlindRight, s.BlindJudged))
	}
	t.line(fmt.Sprintf("false Criticals    %d", s.FalseCriticals))
	for _, i := range s.Incidents {
		text := fmt.Sprintf("incident           Stressed after %s evaluations", detected(i.ToStressed))
		if i.Required == health.Critical {
			text += fmt.Sprintf(", Critical after %s", detected(i.ToCritical))
		}
		t.line(text + fmt.Sprintf("; entries %d, exits %d", i.Entries, i.Exits))
	}
}

// strain writes how hard the machine was pressed that a recording was made on,
// and warns of one that could not keep up.
func (t *terminal) strain(s *score.Strain) {
	if s == nil {
		return
	}
	t.line("machine            " + s.String())
	if why := s.TooMuch(); why != "" {
		t.line(bad.Render("!") + " this machine could not keep up: " + why +
			". It has played something else than is written: play it again with less beside it")
	}
}

func detected(evaluations int) string {
	if evaluations == 0 {
		return "no number of"
	}
	return fmt.Sprint(evaluations)
}
