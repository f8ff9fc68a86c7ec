package temporal

import "go.temporal.io/server/common/config"

// TLS is how a server's frontend encrypts, with files in PEM.
type TLS struct {
	CertFile string `json:"cert_file"`
	KeyFile  string `json:"key_file"`
	// CAFile signed the certificate.
	CAFile string `json:"ca_file"`
	// ClientCAFile signed the certificates that clients have to show. Empty:
	// they need none.
	ClientCAFile string `json:"client_ca_file,omitempty"`
}

// serverConfig translates t into the server's own configuration. The server is
// a client of its frontend, too, and shows it the frontend's own certificate.
func (t *TLS) serverConfig() config.RootTLS {
	if t == nil {
		return config.RootTLS{}
	}
	client := config.ClientTLS{RootCAFiles: []string{t.CAFile}}
	server := config.ServerTLS{CertFile: t.CertFile, KeyFile: t.KeyFile}
	if t.ClientCAFile != "" {
		server.ClientCAFiles, server.RequireClientAuth = []string{t.ClientCAFile, t.CAFile}, true
	}
	return config.RootTLS{
		Frontend:     config.GroupTLS{Server: server, Client: client},
		SystemWorker: config.WorkerTLS{CertFile: t.CertFile, KeyFile: t.KeyFile, Client: client},
	}
}
