//go:build linux

package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/workflows"
)

// The builds of the copilot that are deployed one after the other. They differ
// in nothing but their names.
const (
	former = "build-a"
	latter = "build-b"
)

// newVersion deploys another build by Worker Versioning, in the order that
// docs/configuration.md tells, and takes it back once. The running observation goes
// over at once each time, and nothing of it is lost, done twice or failed.
func newVersion(t *testing.T, p *place, f form) []Outcome {
	w := p.watch(t, "versions", dsqltest.Options{})
	c, err := client.DialContext(t.Context(), client.Options{HostPort: w.temporal, DataConverter: workflows.DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	// What began on a version has to have ended for minutes before the server
	// says so, unless it is told to be quick.
	p.temporal.Set(t, map[string]int{
		"matching.wv.VersionDrainageStatusVisibilityGracePeriod": 5,
		"matching.wv.VersionDrainageStatusRefreshInterval":       2,
	})
	deployment := c.WorkerDeploymentClient().GetHandle(w.cluster)
	deploy := func(build string) *process {
		one := w.work(t, "COPILOT_DEPLOYMENT_NAME="+w.cluster, "COPILOT_BUILD_ID="+build)
		eventually(t, "the server knows "+build, func() bool {
			_, err := deployment.DescribeVersion(t.Context(), client.WorkerDeploymentDescribeVersionOptions{BuildID: build})
			return err == nil
		})
		return one
	}
	makeCurrent := func(build string) {
		eventually(t, build+" is made current", func() bool {
			_, err := deployment.SetCurrentVersion(t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
			if err != nil {
				t.Logf("not yet: %v", err)
			}
			return err == nil
		})
	}

	one := deploy(former)
	makeCurrent(former)
	w.recover(t)
	begin := instant.System.Now()
	deploy(latter)
	w.recover(t) // with both at work, and the former current
	if by := w.versionsOf(t, c); !slices.Equal(by, []string{former}) {
		t.Errorf("before %s is made current, the versions at work are %v", latter, by)
	}
	var recoveries []time.Duration
	var switched instant.Instant
	for _, build := range []string{latter, former, latter} { // there, back, and there again
		makeCurrent(build)
		switched = instant.System.Now()
		recoveries = append(recoveries, w.recover(t))
		pause(t.Context(), f.down)
	}
	eventually(t, former+" is drained", func() bool {
		described, err := deployment.DescribeVersion(t.Context(), client.WorkerDeploymentDescribeVersionOptions{BuildID: former})
		return err == nil && described.Info.DrainageInfo != nil &&
			described.Info.DrainageInfo.DrainageStatus == client.WorkerDeploymentVersionDrainageStatusDrained
	})
	drained := instant.System.Now().Sub(switched)
	one.stop()
	w.recover(t)
	end := instant.System.Now()
	w.recover(t)
	if by := w.versionsOf(t, c); !slices.Equal(by, []string{former, latter, former, latter}) {
		t.Errorf("the builds that were at work on the observation, one after the other: %v", by)
	}
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault:      "another version deployed (Worker Versioning)",
		Done:       fmt.Sprintf("made current beside the former one, rolled back, made current again; the former one was drained %s later and stopped", seconds(drained)),
		Recoveries: recoveries,
	})}
}

// versionsOf lists the builds that did the workflow tasks of the observation, one
// after the other. None of the tasks may have failed.
func (w *watched) versionsOf(t *testing.T, c client.Client) []string {
	t.Helper()
	var builds []string
	events := c.GetWorkflowHistory(t.Context(), workflows.ObserveWorkflowID(w.cluster), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil {
			t.Errorf("a workflow task failed: %v", failed)
		}
		build := event.GetWorkflowTaskCompletedEventAttributes().GetDeploymentVersion().GetBuildId()
		if build != "" && (len(builds) == 0 || builds[len(builds)-1] != build) {
			builds = append(builds, build)
		}
	}
	return builds
}
