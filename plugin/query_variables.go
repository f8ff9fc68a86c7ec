package main

import (
	"context"
	"slices"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/health"
)

// What a dashboard variable can be a choice of.
const (
	listClusters   = "clusters"
	listServices   = "services"
	listNamespaces = "namespaces"
	listTaskQueues = "task_queues"
	listStates     = "states"
)

// lists are all there are; the first is what a query means that names none.
var lists = []string{listClusters, listServices, listNamespaces, listTaskQueues, listStates}

// answerVariables lists what a dashboard variable offers: a value for queries
// and a text for people.
func answerVariables(ctx context.Context, q *question) (data.Frames, error) {
	var values, texts []string
	add := func(value, text string) {
		if !slices.Contains(values, value) {
			values, texts = append(values, value), append(texts, text)
		}
	}
	switch list := or(q.list, listClusters); list {
	case listClusters:
		clusters, err := q.store.Clusters(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range clusters {
			add(c.ID, or(c.Display, c.ID))
		}
	case listStates:
		for _, state := range []health.State{health.Happy, health.Stressed, health.Critical} {
			add(state.String(), upper(state.String()))
		}
	case listServices, listNamespaces, listTaskQueues:
		v, err := q.verdict(ctx)
		if err != nil {
			return nil, err
		}
		kind := map[string]health.ScopeKind{
			listServices: health.KindService, listNamespaces: health.KindNamespace, listTaskQueues: health.KindTaskQueue,
		}[list]
		for i := range v.assessment.Scopes {
			if scope := v.assessment.Scopes[i].Scope; scope.Kind == kind && fits(scope, health.Scope{Kind: kind, Namespace: q.scope.Namespace}) {
				add(scope.Name, scope.Name)
			}
		}
		slices.Sort(values)
		texts = values
	default:
		return nil, badQuery("the query's field %q is %q; use one of: %s", "list", list, listed(lists))
	}
	return data.Frames{table("variables",
		field("text", "Text", "What people choose from.", append([]string{}, texts...)),
		field("value", "Value", "What queries get.", append([]string{}, values...)),
	)}, nil
}

// sayList says what there is to choose from.
func sayList(q *question) string { return " list=" + or(q.list, listClusters) }
