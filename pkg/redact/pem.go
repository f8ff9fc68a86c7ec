package redact

// A private key, from its first line to its last, or as far as it goes when
// the text was cut off at either end. Its line breaks may be written out.
const (
	pemBegin = `-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----`
	pemEnd   = `-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----`
)

func pemDetectors() []detector {
	return []detector{
		pattern("private-key", []string{"private key"},
			`(?s)`+pemBegin+`.*?`+pemEnd+
				`|`+pemBegin+`[A-Za-z0-9+/=\s\\:,.-]*`+
				`|(?:[A-Za-z0-9+/=]|\\[nr]|[\r\n])+`+pemEnd,
			0, nil),
	}
}
