package health

import "strings"

// ScopeKind says what a Scope names.
type ScopeKind string

// The kinds of scope, from the whole to its parts.
const (
	KindCluster   ScopeKind = "cluster"
	KindService   ScopeKind = "service"
	KindNamespace ScopeKind = "namespace"
	KindTaskQueue ScopeKind = "task_queue"
	KindReplica   ScopeKind = "replica"
)

// TaskType distinguishes the two kinds of task that a task queue holds.
type TaskType string

// Task types as Temporal's matching service labels them, in lower case.
const (
	WorkflowTasks TaskType = "workflow"
	ActivityTasks TaskType = "activity"
)

// Scope is a place in the cluster that a value or a verdict belongs to. The
// zero value is the cluster itself. Scopes are comparable.
type Scope struct {
	// Kind is empty for the cluster.
	Kind ScopeKind `json:"kind,omitempty"`
	// Namespace is the Temporal namespace; set for namespaces and task queues.
	Namespace string `json:"namespace,omitempty"`
	// Name is the service, namespace, task queue or replica.
	Name string `json:"name,omitempty"`
	// TaskType narrows a task queue to one of its two kinds of task.
	TaskType TaskType `json:"task_type,omitempty"`
	// Service is the Temporal service that a replica runs.
	Service string `json:"service,omitempty"`
}

// ClusterScope returns the scope of the whole cluster.
func ClusterScope() Scope { return Scope{} }

// ServiceScope returns the scope of a Temporal service: frontend, history,
// matching or worker.
func ServiceScope(name string) Scope { return Scope{Kind: KindService, Name: name} }

// NamespaceScope returns the scope of a Temporal namespace.
func NamespaceScope(name string) Scope {
	return Scope{Kind: KindNamespace, Namespace: name, Name: name}
}

// TaskQueueScope returns the scope of a task queue, both kinds of task.
func TaskQueueScope(namespace, name string) Scope {
	return Scope{Kind: KindTaskQueue, Namespace: namespace, Name: name}
}

// Of narrows a task queue scope to one kind of task.
func (s Scope) Of(t TaskType) Scope {
	s.TaskType = t
	return s
}

// Queue widens the scope of one kind of task to its whole task queue.
func (s Scope) Queue() Scope {
	s.TaskType = ""
	return s
}

// IsCluster tells whether the scope is the cluster itself.
func (s Scope) IsCluster() bool { return s.Kind == "" || s.Kind == KindCluster }

// Compare orders scopes: by kind, namespace, name, task type, service. It
// makes every listing of scopes independent of the order they arrived in.
func (s Scope) Compare(o Scope) int {
	switch {
	case s.Kind != o.Kind:
		return strings.Compare(string(s.Kind), string(o.Kind))
	case s.Namespace != o.Namespace:
		return strings.Compare(s.Namespace, o.Namespace)
	case s.Name != o.Name:
		return strings.Compare(s.Name, o.Name)
	case s.TaskType != o.TaskType:
		return strings.Compare(string(s.TaskType), string(o.TaskType))
	}
	return strings.Compare(s.Service, o.Service)
}

// String returns a text of the scope for people and logs: "cluster", or the
// parts joined by slashes, as in "task_queue/default/billing/activity". Names
// may hold slashes themselves, so it is no key.
func (s Scope) String() string {
	if s.IsCluster() {
		return string(KindCluster)
	}
	parts := []string{string(s.Kind)}
	for _, part := range []string{s.Service, s.Namespace, s.Name, string(s.TaskType)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}
