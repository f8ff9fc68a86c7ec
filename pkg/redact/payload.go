package redact

// Payloads of workflows and activities: what a user's code passed to Temporal,
// which may be anything. They show in errors about decoding them, as JSON, as
// text of protocol buffers, or as bare base64.
func payloadDetectors() []detector {
	object := lazy(`(?:eyJ|W3si)[A-Za-z0-9+/_-]{8,}={0,2}`)
	return []detector{
		pattern("payload", []string{"encoding"},
			`"(?:data|payload)\\*"\s*:\s*\\*"([A-Za-z0-9+/_-]+={0,2})`, 1, nil),
		pattern("payload", []string{"encoding"},
			`\bdata:\s*\\?"((?:[^"\\]|\\.)+)`, 1, nil),
		{
			// Base64 of a JSON object or of a list of them.
			kind:     "payload",
			keywords: []string{"eyj", "w3si"},
			find: func(t text, add func(from, to int)) {
				for _, match := range object().FindAllStringIndex(t.s, -1) {
					if !wordBefore(t.s, match[0]) && hasAllSorts(t.s[match[0]:match[1]]) {
						add(match[0], match[1])
					}
				}
			},
		},
	}
}
