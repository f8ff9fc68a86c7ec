package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

// remembered is how many steps of a play are stored; the rules have seen those
// before, too.
const remembered = 40

// stage is a running backend with the data sources that the tests look at: a
// store that is filled, one without a schema, and one that is away.
type stage struct {
	reel     *reel
	plugin   *plugintest.Plugin
	postgres *postgrestest.Server
	store    *dsql.Store
	// sources are the data sources by name; names is their order.
	sources map[string]plugintest.Source
	names   []string

	mu    sync.Mutex
	plays map[string]*play
}

func newStage(ctx context.Context, r *reel, plugin *plugintest.Plugin, postgres *postgrestest.Server) (*stage, error) {
	s := &stage{reel: r, plugin: plugin, postgres: postgres, sources: map[string]plugintest.Source{}, plays: map[string]*play{}}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	for _, database := range []string{"copilot", "empty"} {
		if err := postgres.CreateDatabase(ctx, database); err != nil {
			return nil, err
		}
	}
	for name, url := range map[string]string{
		"filled": postgres.URL("copilot"), "empty": postgres.URL("empty"),
		"away": "postgres://reader:secret@127.0.0.1:" + strconv.Itoa(port) + "/copilot?sslmode=disable",
	} {
		if s.sources[name], err = plugintest.PostgresSource(url); err != nil {
			return nil, err
		}
	}
	s.names = []string{"filled", "empty", "away"}
	if s.store, err = dsql.Open(ctx, dsql.Config{URL: postgres.URL("copilot")}); err != nil {
		return nil, err
	}
	if _, err := s.store.Migrate(ctx); err != nil {
		s.store.Close()
		return nil, err
	}
	return s, nil
}

// routes are those of Grafana's server that plugins use, and, below /stage/,
// what the tests have done behind the scenes.
func (s *stage) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	handle("POST /api/ds/query", s.query)
	handle("GET /api/datasources/uid/{uid}/health", s.checkHealth)
	handle("GET /api/datasources/uid/{uid}/resources/{path...}", s.resource)
	handle("GET /api/live/ds/{uid}/{path...}", s.live)
	handle("GET /stage/sources", s.listSources)
	handle("POST /stage/play", s.play)
	handle("POST /stage/next", s.nextStep)
	handle("GET /stage/newest", s.newest)
	handle("POST /stage/stop-store", func(w http.ResponseWriter, _ *http.Request) error {
		s.store.Close()
		if err := s.postgres.Stop(); err != nil {
			return err
		}
		return answer(w, http.StatusOK, true)
	})
	return mux
}

// source finds a data source by its uid.
func (s *stage) source(uid string) (plugintest.Source, error) {
	for _, source := range s.sources {
		if source.UID() == uid {
			return source, nil
		}
	}
	return plugintest.Source{}, fmt.Errorf("there is no data source %q", uid)
}

func (s *stage) listSources(w http.ResponseWriter, _ *http.Request) error {
	type listed struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	}
	list := make([]listed, len(s.names))
	for i, name := range s.names {
		list[i] = listed{Name: name, UID: s.sources[name].UID()}
	}
	return answer(w, http.StatusOK, list)
}

// query is what a panel asks: all of its queries in one request.
func (s *stage) query(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Queries  []json.RawMessage `json:"queries"`
		From, To string
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return err
	}
	source, err := s.source(r.Header.Get("X-Datasource-Uid"))
	if err != nil {
		return err
	}
	from, err := milliseconds(asked.From)
	if err != nil {
		return err
	}
	to, err := milliseconds(asked.To)
	if err != nil {
		return err
	}
	answers, err := s.plugin.Queries(r.Context(), source, from, to, asked.Queries)
	if err != nil {
		return err
	}
	type result struct {
		Status      int         `json:"status"`
		Frames      data.Frames `json:"frames"`
		Error       string      `json:"error,omitempty"`
		ErrorSource string      `json:"errorSource,omitempty"`
	}
	results := map[string]result{}
	status := http.StatusOK
	for refID, one := range answers {
		results[refID] = result{Status: one.Status, Frames: one.Frames, Error: one.Error, ErrorSource: one.ErrorSource}
		if one.Error != "" {
			// As Grafana does when one of several queries fails, too.
			status = max(status, one.Status)
		}
	}
	return answer(w, status, map[string]any{"results": results})
}

func milliseconds(text string) (instant.Instant, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return instant.Instant{}, fmt.Errorf("the time %q: %w", text, err)
	}
	return instant.FromUnix(0).Add(time.Duration(ms) * time.Millisecond), nil
}

func (s *stage) checkHealth(w http.ResponseWriter, r *http.Request) error {
	source, err := s.source(r.PathValue("uid"))
	if err != nil {
		return err
	}
	said, err := s.plugin.CheckHealth(r.Context(), source)
	if err != nil {
		return err
	}
	word, status := "OK", http.StatusOK
	if !said.OK {
		word, status = "ERROR", http.StatusBadRequest
	}
	return answer(w, status, map[string]any{"status": word, "message": said.Message, "details": json.RawMessage(said.Details)})
}

func (s *stage) resource(w http.ResponseWriter, r *http.Request) error {
	source, err := s.source(r.PathValue("uid"))
	if err != nil {
		return err
	}
	path := r.PathValue("path")
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	status, body, err := s.plugin.Resource(r.Context(), source, path)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

// live passes a channel of Grafana Live on, as events that a browser reads.
func (s *stage) live(w http.ResponseWriter, r *http.Request) error {
	source, err := s.source(r.PathValue("uid"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	err = s.plugin.Subscribe(r.Context(), source, r.PathValue("path"), func(frame *data.Frame) error {
		text, err := json.Marshal(frame)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return err
		}
		return flush.Flush()
	})
	if r.Context().Err() != nil {
		return nil
	}
	return err
}

// play stores the verdicts of the recording up to where a state has held for
// some steps. The last of them is so many seconds old: from beginning to end,
// everything happens that much later than it was recorded.
func (s *stage) play(w http.ResponseWriter, r *http.Request) error {
	var wanted struct {
		Cluster string
		// State is looked for that holds for Steps; the play stops at its
		// first step plus Offset.
		State         health.State
		Steps, Offset int
		AgeSec        int
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		return err
	}
	last, err := s.reel.find(wanted.State, wanted.Steps)
	if err != nil {
		return err
	}
	last += wanted.Offset
	now := instant.System.Now().Truncate(time.Second).Add(-time.Duration(wanted.AgeSec) * time.Second)
	p := &play{reel: s.reel, cluster: wanted.Cluster, later: now.Sub(s.reel.observations[last].At)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plays[wanted.Cluster] = p
	for p.next <= last-remembered {
		if _, _, err := p.step(); err != nil {
			return err
		}
	}
	for p.next <= last {
		if err := s.save(r.Context(), p); err != nil {
			return err
		}
	}
	return s.tell(r.Context(), w, wanted.Cluster)
}

// nextStep stores the next verdict of a play.
func (s *stage) nextStep(w http.ResponseWriter, r *http.Request) error {
	cluster := r.URL.Query().Get("cluster")
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plays[cluster]
	if p == nil {
		return fmt.Errorf("nothing of %q was played yet", cluster)
	}
	if err := s.save(r.Context(), p); err != nil {
		return err
	}
	return s.tell(r.Context(), w, cluster)
}

func (s *stage) save(ctx context.Context, p *play) error {
	observation, assessment, err := p.step()
	if err != nil {
		return err
	}
	return s.store.Save(ctx, observation, assessment)
}

func (s *stage) newest(w http.ResponseWriter, r *http.Request) error {
	return s.tell(r.Context(), w, r.URL.Query().Get("cluster"))
}

// tell answers with what the store itself holds of a cluster.
func (s *stage) tell(ctx context.Context, w http.ResponseWriter, cluster string) error {
	a, err := s.store.Latest(ctx, cluster)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, a)
}

func answer(w http.ResponseWriter, status int, body any) error {
	var text strings.Builder
	if err := json.NewEncoder(&text).Encode(body); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write([]byte(text.String()))
	return err
}
