package loki

import (
	"path/filepath"

	"github.com/temporal-sre/copilot/lab/loopback"
)

// section is a part of a configuration file.
type section map[string]any

// maxLineSize is longer than any line of a Temporal server, whose stack traces
// take some kilobytes.
const maxLineSize = "1MB"

// file returns the configuration. What is not named is Loki's default, among it
// the limits on queries.
func (cfg Config) file() section {
	return section{
		"auth_enabled": false,
		"server": section{
			"http_listen_address": loopback.Host, "http_listen_port": cfg.Port,
			"grpc_listen_address": loopback.Host, "grpc_listen_port": cfg.GRPCPort,
			"grpc_server_max_recv_msg_size": 64 << 20, "grpc_server_max_send_msg_size": 64 << 20,
			"log_level": "warn",
		},
		"analytics": section{"reporting_enabled": false},
		"common": section{
			"path_prefix":        cfg.Dir,
			"instance_addr":      loopback.Host,
			"replication_factor": 1,
			"ring":               section{"kvstore": section{"store": "inmemory"}, "instance_addr": loopback.Host},
			"storage": section{"filesystem": section{
				"chunks_directory": filepath.Join(cfg.Dir, "chunks"), "rules_directory": filepath.Join(cfg.Dir, "rules"),
			}},
		},
		"schema_config": section{"configs": []section{{
			"from": "2020-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13",
			"index": section{"prefix": "index_", "period": "24h"},
		}}},
		"ingester": section{
			"lifecycler": section{"min_ready_duration": "0s", "final_sleep": "0s"},
			// Recordings are older than what the ingester is usually asked for.
			// With files -1 stands for any age.
			"query_store_max_look_back_period": "-1ns",
		},
		// Without a scheduler between them Loki is ready in half a second, and
		// with one in ten.
		"frontend_worker": section{"frontend_address": loopback.Address(cfg.GRPCPort), "dns_lookup_duration": "500ms"},
		"query_range":     section{"cache_results": false},
		"limits_config": section{
			"reject_old_samples": false, // recordings
			// A database outage makes 300 lines a second, of which a replay
			// pushes minutes at once.
			"ingestion_rate_mb": 256, "ingestion_burst_size_mb": 512,
			"per_stream_rate_limit": "256MB", "per_stream_rate_limit_burst": "512MB",
			"max_line_size":             maxLineSize,
			"allow_structured_metadata": true,
		},
	}
}
