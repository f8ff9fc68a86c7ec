// Command plugin is the backend of the Grafana data source. It serves what the
// copilot's worker stored, as data frames, and computes no verdict of its own
// (requirement R6.6). Grafana starts it and speaks gRPC with it.
//
// The parts: settings.go reads what the config editor wrote, datasource.go is
// one configured data source, health.go is "Save & test", and each query type
// has a file of its own, query_….go. What they share is in query.go (from a
// request to a question), frames.go (how things look) and failure.go (errors).
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
)

// pluginID is the id in plugin.json. The build sets it again from there.
var pluginID = "temporalsre-copilot-datasource"

func main() {
	if err := datasource.Manage(pluginID, newInstance, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("The plugin could not be served", "error", err)
		os.Exit(1)
	}
}
