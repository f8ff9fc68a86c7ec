package redact

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// values make up what must go, by the name that the corpus has for it. The
// prefixes of tokens are put together here, so that no scanner of repositories
// takes this file for a leak.
var values = map[string]struct {
	kinds []string
	value func(m *maker) string
}{
	// Known by their looks.
	"aws-access-key":      {[]string{"aws-access-token"}, func(m *maker) string { return m.one("AK", "AS") + "IA" + m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) }},
	"github-pat":          {[]string{"github-pat"}, func(m *maker) string { return "gh" + "p_" + m.of(alphanum, 36) }},
	"github-fine-grained": {[]string{"github-fine-grained-pat"}, func(m *maker) string { return "github" + "_pat_" + m.of(alphanum, 82) }},
	"github-app":          {[]string{"github-app-token"}, func(m *maker) string { return "gh" + "s_" + m.of(alphanum, 36) }},
	"gitlab-pat":          {[]string{"gitlab-pat"}, func(m *maker) string { return "gl" + "pat-" + m.of(alphanum, 20) }},
	"slack-bot": {[]string{"slack-bot-token"}, func(m *maker) string {
		return "xo" + "xb-" + m.of("123456789", 12) + "-" + m.of("123456789", 12) + "-" + m.of(alphanum, 24)
	}},
	"slack-webhook": {[]string{"slack-webhook-url"}, func(m *maker) string {
		return "https://hooks.slack" + ".com/services/T" + m.of(alphanum, 9) + "/B" + m.of(alphanum, 10) + "/" + m.of(alphanum, 24)
	}},
	"stripe":        {[]string{"stripe-access-token"}, func(m *maker) string { return "sk" + "_live_" + m.of(alphanum, 32) }},
	"gcp-api-key":   {[]string{"gcp-api-key"}, func(m *maker) string { return "AI" + "za" + m.of(alphanum, 35) }},
	"npm":           {[]string{"npm-access-token"}, func(m *maker) string { return "np" + "m_" + m.of(lowers+digits, 36) }},
	"pypi":          {[]string{"pypi-upload-token"}, func(m *maker) string { return "py" + "pi-AgEIcHlwaS5vcmc" + m.of(alphanum, 80) }},
	"sendgrid":      {[]string{"sendgrid-api-token"}, func(m *maker) string { return "S" + "G." + m.of(alphanum, 22) + "." + m.of(alphanum, 43) }},
	"twilio":        {[]string{"twilio-api-key"}, func(m *maker) string { return "S" + "K" + m.of(hexes, 32) }},
	"grafana-sa":    {[]string{"grafana-service-account-token"}, func(m *maker) string { return "gl" + "sa_" + m.of(alphanum, 32) + "_" + m.of(hexes, 8) }},
	"grafana-cloud": {[]string{"grafana-cloud-api-token"}, func(m *maker) string { return "gl" + "c_" + m.of(alphanum, 56) }},
	"vault":         {[]string{"vault-service-token"}, func(m *maker) string { return "hv" + "s." + m.of(alphanum, 95) }},
	"digitalocean":  {[]string{"digitalocean-pat"}, func(m *maker) string { return "do" + "p_v1_" + m.of(hexes, 64) }},
	"databricks":    {[]string{"databricks-api-token"}, func(m *maker) string { return "da" + "pi" + m.of(hexes, 32) }},
	"anthropic":     {[]string{"anthropic-api-key"}, func(m *maker) string { return "sk" + "-ant-api03-" + m.of(alphanum, 93) + "AA" }},
	"huggingface":   {[]string{"huggingface-access-token"}, func(m *maker) string { return "h" + "f_" + m.of(lowers, 34) }},
	"shopify":       {[]string{"shopify-access-token"}, func(m *maker) string { return "sh" + "pat_" + m.of(hexes, 32) }},
	"doppler":       {[]string{"doppler-api-token"}, func(m *maker) string { return "d" + "p.pt." + m.of(lowers+digits, 43) }},
	"linear":        {[]string{"linear-api-key"}, func(m *maker) string { return "lin" + "_api_" + m.of(lowers+digits, 40) }},
	"newrelic":      {[]string{"new-relic-user-api-key", "api-key"}, func(m *maker) string { return "NR" + "AK-" + m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"+digits, 27) }},
	"age":           {[]string{"age-secret-key"}, func(m *maker) string { return "AGE-SECRET" + "-KEY-1" + m.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58) }},
	"atlassian":     {[]string{"atlassian-api-token"}, func(m *maker) string { return "AT" + "ATT3" + m.of(alphanum, 186) }},
	"pulumi":        {[]string{"pulumi-api-token"}, func(m *maker) string { return "pu" + "l-" + m.of(hexes, 40) }},
	"datadog":       {[]string{"datadog-access-token", "api-key"}, func(m *maker) string { return m.of(lowers+digits, 40) }},
	"jwt":           {[]string{"jwt"}, func(m *maker) string { return m.jwt() + "." + m.of(alphanum+"-_", 43) }},
	"jwt-cut":       {[]string{"jwt"}, func(m *maker) string { return m.jwt()[:60] }},
	"aws-session":   {[]string{"aws-session-token", "token"}, func(m *maker) string { return "IQoJ" + "b3JpZ2lu" + m.of(alphanum, 200) + "==" }},

	// Known by their place.
	"password": {[]string{"password"}, func(m *maker) string {
		return m.of(letters, 5) + m.of("!@#$%^*+", 1) + m.of(digits, 3) + m.of(alphanum, 4)
	}},
	"passphrase":          {[]string{"password"}, func(m *maker) string { return m.of(lowers, 6) + " " + m.of(lowers, 7) + " " + m.of(lowers, 5) }},
	"plain-password":      {[]string{"password"}, func(m *maker) string { return m.of(lowers, 10) }},
	"secret-password":     {[]string{"password"}, func(m *maker) string { return m.of(alphanum, 24) }},
	"github-app-userinfo": {[]string{"url-credentials", "github-app-token"}, func(m *maker) string { return "gh" + "s_" + m.of(alphanum, 36) }},
	"userinfo":            {[]string{"url-credentials"}, func(m *maker) string { return m.of(lowers, 8) + ":" + m.of(alphanum, 14) }},
	"userinfo-broken":     {[]string{"url-credentials"}, func(m *maker) string { return m.of(lowers, 8) + ":" + m.of(alphanum, 6) + "/" + m.of(alphanum, 6) }},
	"db-user":             {[]string{"database-user"}, func(m *maker) string { return m.of(lowers, 9) }},
	"aws-secret":          {[]string{"secret"}, func(m *maker) string { return m.of(alphanum+"+/", 40) }},
	"secret":              {[]string{"secret"}, func(m *maker) string { return m.of(alphanum, 32) }},
	"opaque":              {[]string{"authorization", "curl-auth-header", "token", "api-key", "credential", "cookie", "signature"}, func(m *maker) string { return m.of(letters, 8) + m.of(digits, 3) + m.of(alphanum, 20) }},
	"token":               {[]string{"token"}, func(m *maker) string { return m.of(alphanum, 8) + m.of(digits, 2) + m.of(alphanum, 22) }},
	"api-key":             {[]string{"api-key"}, func(m *maker) string { return m.of(lowers, 3) + m.of(digits, 3) + m.of(lowers+digits, 26) }},
	"uuid-key": {[]string{"api-key"}, func(m *maker) string {
		return m.of(hexes, 8) + "-" + m.of(hexes, 4) + "-4" + m.of(hexes, 3) + "-a" + m.of(hexes, 3) + "-" + m.of(hexes, 12)
	}},
	"basic": {[]string{"authorization"}, func(m *maker) string {
		return base64.StdEncoding.EncodeToString([]byte(m.of(lowers, 7) + ":" + m.of(alphanum, 12)))
	}},
	"cookie": {[]string{"cookie"}, func(m *maker) string { return m.of(alphanum, 6) + m.of(digits, 2) + m.of(alphanum, 24) }},
	"cookie-line": {[]string{"cookie"}, func(m *maker) string {
		return m.one("sid", "_app_session", "connect.sid") + "=" + m.of(alphanum, 30) + m.one("", "; Path=/; HttpOnly", "; theme=dark")
	}},
	"signature":       {[]string{"signature", "hex"}, func(m *maker) string { return m.of(hexes, 64) }},
	"private-key":     {[]string{"private-key"}, func(m *maker) string { return m.pem(`\n`, true) }},
	"private-key-cut": {[]string{"private-key"}, func(m *maker) string { return m.pem(`\n`, false) }},
	"aws-account":     {[]string{"aws-account"}, func(m *maker) string { return m.of("123456789", 1) + m.of(digits, 11) }},

	"curl-user": {[]string{"curl-auth-user"}, func(m *maker) string { return m.of(lowers, 6) + ":" + m.of(alphanum, 12) }},

	// Data.
	"payload-object": {[]string{"payload"}, func(m *maker) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"customer":"` + m.of(letters, 9) + `","total":` + m.number(10, 9999) + `}`))
	}},
	"payload-string": {[]string{"payload"}, func(m *maker) string { return base64.StdEncoding.EncodeToString([]byte(`"` + m.of(letters, 11) + `"`)) }},
	"payload-text":   {[]string{"payload"}, func(m *maker) string { return `\"` + m.of(lowers, 6) + ` ` + m.of(lowers, 8) + `\"` }},
	"base64":         {[]string{"base64"}, func(m *maker) string { return base64.StdEncoding.EncodeToString([]byte(m.of(alphanum+" .,:", 90))) }},
	"base64-url":     {[]string{"base64"}, func(m *maker) string { return m.of(alphanum, 40) + m.of("-_", 1) + m.of(alphanum, 50) }},
	"hex":            {[]string{"hex"}, func(m *maker) string { return m.of(hexes, 96) }},

	// Personal data.
	"email": {[]string{"email"}, func(m *maker) string {
		return m.of(lowers, 5) + m.one(".", "_", "+", "") + m.of(lowers, 6) + "@" + m.one("example.com", "mail.example.org", "corp.example.co.uk", "bücher.example")
	}},
	"email-url": {[]string{"email"}, func(m *maker) string { return m.of(lowers, 5) + "." + m.of(lowers, 6) + "%40example.com" }},
	"ipv4":      {[]string{"ip"}, func(m *maker) string { return m.one("10.0.", "172.16.", "192.168.", "203.0.") + m.rest() }},
	"ipv6": {[]string{"ip"}, func(m *maker) string {
		return "2001:db8:" + m.of("123456789abcdef", 4) + "::" + m.of("123456789abcdef", 3)
	}},
	"ipv6-full": {[]string{"ip"}, func(m *maker) string { return "fd00" + strings.Repeat(":"+m.of("123456789abcdef", 4), 7) }},
	"ip-host": {[]string{"ip"}, func(m *maker) string {
		return fmt.Sprintf("10-%s-%s-%s", m.number(0, 255), m.number(0, 255), m.number(1, 254))
	}},
	"card": {[]string{"card"}, func(m *maker) string { return m.card() }},
	"card-groups": {[]string{"card"}, func(m *maker) string {
		c := m.card()
		return c[:4] + " " + c[4:8] + " " + c[8:12] + " " + c[12:]
	}},
	"phone": {[]string{"phone"}, func(m *maker) string { return "+49" + m.of("123456789", 3) + m.of(digits, 7) }},
	"phone-spaced": {[]string{"phone"}, func(m *maker) string {
		return m.one("+1 (415) 555-", "+44 20 7946 ", "+1-202-555-") + "0" + m.of(digits, 3)
	}},
	"iban": {[]string{"iban"}, func(m *maker) string { return m.iban() }},
	"iban-groups": {[]string{"iban"}, func(m *maker) string {
		i := m.iban()
		return i[:4] + " " + i[4:8] + " " + i[8:12] + " " + i[12:16] + " " + i[16:20] + " " + i[20:]
	}},
}

// rest completes an IPv4 address that begins with two numbers.
func (m *maker) rest() string { return m.number(1, 254) + "." + m.number(1, 254) }

func (m *maker) jwt() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"RS256","kid":"`+m.of(alphanum, 6)+`"}`) + "." + part(`{"sub":"`+m.of(lowers, 8)+`","exp":1767323045}`)
}

func (m *maker) pem(lineBreak string, whole bool) string {
	var b strings.Builder
	b.WriteString("-----BEGIN " + "RSA PRIVATE KEY-----")
	for range 6 {
		b.WriteString(lineBreak + m.of(alphanum+"+/", 64))
	}
	if whole {
		b.WriteString(lineBreak + m.of(alphanum, 30) + "==" + lineBreak + "-----END " + "RSA PRIVATE KEY-----")
	}
	return b.String()
}

// card returns a number that no card has, with the right check digit.
func (m *maker) card() string {
	c := "4000" + m.of(digits, 11)
	for d := range 10 {
		if full := c + strconv.Itoa(d); luhn(full) {
			return full
		}
	}
	return ""
}

// iban returns an account number with the right check digits.
func (m *maker) iban() string {
	account := m.of(digits, 18)
	for check := 2; check < 99; check++ {
		if full := fmt.Sprintf("DE%02d%s", check, account); mod97([]byte(full)) {
			return full
		}
	}
	return ""
}
