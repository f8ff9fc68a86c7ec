package corpus

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
	value func(m *Maker) string
}{
	// Known by their looks.
	"aws-access-key":      {[]string{"aws-access-token"}, func(m *Maker) string { return m.one("AK", "AS") + "IA" + m.Of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) }},
	"github-pat":          {[]string{"github-pat"}, func(m *Maker) string { return "gh" + "p_" + m.Of(Alphanum, 36) }},
	"github-fine-grained": {[]string{"github-fine-grained-pat"}, func(m *Maker) string { return "github" + "_pat_" + m.Of(Alphanum, 82) }},
	"github-app":          {[]string{"github-app-token"}, func(m *Maker) string { return "gh" + "s_" + m.Of(Alphanum, 36) }},
	"gitlab-pat":          {[]string{"gitlab-pat"}, func(m *Maker) string { return "gl" + "pat-" + m.Of(Alphanum, 20) }},
	"slack-bot": {[]string{"slack-bot-token"}, func(m *Maker) string {
		return "xo" + "xb-" + m.Of("123456789", 12) + "-" + m.Of("123456789", 12) + "-" + m.Of(Alphanum, 24)
	}},
	"slack-webhook": {[]string{"slack-webhook-url"}, func(m *Maker) string {
		return "https://hooks.slack" + ".com/services/T" + m.Of(Alphanum, 9) + "/B" + m.Of(Alphanum, 10) + "/" + m.Of(Alphanum, 24)
	}},
	"stripe":        {[]string{"stripe-access-token"}, func(m *Maker) string { return "sk" + "_live_" + m.Of(Alphanum, 32) }},
	"gcp-api-key":   {[]string{"gcp-api-key"}, func(m *Maker) string { return "AI" + "za" + m.Of(Alphanum, 35) }},
	"npm":           {[]string{"npm-access-token"}, func(m *Maker) string { return "np" + "m_" + m.Of(Lowers+Digits, 36) }},
	"pypi":          {[]string{"pypi-upload-token"}, func(m *Maker) string { return "py" + "pi-AgEIcHlwaS5vcmc" + m.Of(Alphanum, 80) }},
	"sendgrid":      {[]string{"sendgrid-api-token"}, func(m *Maker) string { return "S" + "G." + m.Of(Alphanum, 22) + "." + m.Of(Alphanum, 43) }},
	"twilio":        {[]string{"twilio-api-key"}, func(m *Maker) string { return "S" + "K" + m.Of(Hexes, 32) }},
	"grafana-sa":    {[]string{"grafana-service-account-token"}, func(m *Maker) string { return "gl" + "sa_" + m.Of(Alphanum, 32) + "_" + m.Of(Hexes, 8) }},
	"grafana-cloud": {[]string{"grafana-cloud-api-token"}, func(m *Maker) string { return "gl" + "c_" + m.Of(Alphanum, 56) }},
	"vault":         {[]string{"vault-service-token"}, func(m *Maker) string { return "hv" + "s." + m.Of(Alphanum, 95) }},
	"digitalocean":  {[]string{"digitalocean-pat"}, func(m *Maker) string { return "do" + "p_v1_" + m.Of(Hexes, 64) }},
	"databricks":    {[]string{"databricks-api-token"}, func(m *Maker) string { return "da" + "pi" + m.Of(Hexes, 32) }},
	"anthropic":     {[]string{"anthropic-api-key"}, func(m *Maker) string { return "sk" + "-ant-api03-" + m.Of(Alphanum, 93) + "AA" }},
	"huggingface":   {[]string{"huggingface-access-token"}, func(m *Maker) string { return "h" + "f_" + m.Of(Lowers, 34) }},
	"shopify":       {[]string{"shopify-access-token"}, func(m *Maker) string { return "sh" + "pat_" + m.Of(Hexes, 32) }},
	"doppler":       {[]string{"doppler-api-token"}, func(m *Maker) string { return "d" + "p.pt." + m.Of(Lowers+Digits, 43) }},
	"linear":        {[]string{"linear-api-key"}, func(m *Maker) string { return "lin" + "_api_" + m.Of(Lowers+Digits, 40) }},
	"newrelic":      {[]string{"new-relic-user-api-key", "api-key"}, func(m *Maker) string { return "NR" + "AK-" + m.Of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"+Digits, 27) }},
	"age":           {[]string{"age-secret-key"}, func(m *Maker) string { return "AGE-SECRET" + "-KEY-1" + m.Of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58) }},
	"atlassian":     {[]string{"atlassian-api-token"}, func(m *Maker) string { return "AT" + "ATT3" + m.Of(Alphanum, 186) }},
	"pulumi":        {[]string{"pulumi-api-token"}, func(m *Maker) string { return "pu" + "l-" + m.Of(Hexes, 40) }},
	"datadog":       {[]string{"datadog-access-token", "api-key"}, func(m *Maker) string { return m.Of(Lowers+Digits, 40) }},
	"jwt":           {[]string{"jwt"}, func(m *Maker) string { return m.jwt() + "." + m.Of(Alphanum+"-_", 43) }},
	"jwt-cut":       {[]string{"jwt"}, func(m *Maker) string { return m.jwt()[:60] }},
	"aws-session":   {[]string{"aws-session-token", "token"}, func(m *Maker) string { return "IQoJ" + "b3JpZ2lu" + m.Of(Alphanum, 200) + "==" }},

	// Known by their place.
	"password": {[]string{"password"}, func(m *Maker) string {
		return m.Of(Letters, 5) + m.Of("!@#$%^*+", 1) + m.Of(Digits, 3) + m.Of(Alphanum, 4)
	}},
	"passphrase":          {[]string{"password"}, func(m *Maker) string { return m.Of(Lowers, 6) + " " + m.Of(Lowers, 7) + " " + m.Of(Lowers, 5) }},
	"plain-password":      {[]string{"password"}, func(m *Maker) string { return m.Of(Lowers, 10) }},
	"secret-password":     {[]string{"password"}, func(m *Maker) string { return m.Of(Alphanum, 24) }},
	"github-app-userinfo": {[]string{"url-credentials", "github-app-token"}, func(m *Maker) string { return "gh" + "s_" + m.Of(Alphanum, 36) }},
	"userinfo":            {[]string{"url-credentials"}, func(m *Maker) string { return m.Of(Lowers, 8) + ":" + m.Of(Alphanum, 14) }},
	"userinfo-broken":     {[]string{"url-credentials"}, func(m *Maker) string { return m.Of(Lowers, 8) + ":" + m.Of(Alphanum, 6) + "/" + m.Of(Alphanum, 6) }},
	"db-user":             {[]string{"database-user"}, func(m *Maker) string { return m.Of(Lowers, 9) }},
	"aws-secret":          {[]string{"secret"}, func(m *Maker) string { return m.Of(Alphanum+"+/", 40) }},
	"secret":              {[]string{"secret"}, func(m *Maker) string { return m.Of(Alphanum, 32) }},
	"opaque":              {[]string{"authorization", "curl-auth-header", "token", "api-key", "credential", "cookie", "signature"}, func(m *Maker) string { return m.Of(Letters, 8) + m.Of(Digits, 3) + m.Of(Alphanum, 20) }},
	"token":               {[]string{"token"}, func(m *Maker) string { return m.Of(Alphanum, 8) + m.Of(Digits, 2) + m.Of(Alphanum, 22) }},
	"api-key":             {[]string{"api-key"}, func(m *Maker) string { return m.Of(Lowers, 3) + m.Of(Digits, 3) + m.Of(Lowers+Digits, 26) }},
	"uuid-key": {[]string{"api-key"}, func(m *Maker) string {
		return m.Of(Hexes, 8) + "-" + m.Of(Hexes, 4) + "-4" + m.Of(Hexes, 3) + "-a" + m.Of(Hexes, 3) + "-" + m.Of(Hexes, 12)
	}},
	"basic": {[]string{"authorization"}, func(m *Maker) string {
		return base64.StdEncoding.EncodeToString([]byte(m.Of(Lowers, 7) + ":" + m.Of(Alphanum, 12)))
	}},
	"cookie": {[]string{"cookie"}, func(m *Maker) string { return m.Of(Alphanum, 6) + m.Of(Digits, 2) + m.Of(Alphanum, 24) }},
	"cookie-line": {[]string{"cookie"}, func(m *Maker) string {
		return m.one("sid", "_app_session", "connect.sid") + "=" + m.Of(Alphanum, 30) + m.one("", "; Path=/; HttpOnly", "; theme=dark")
	}},
	"signature":       {[]string{"signature", "hex"}, func(m *Maker) string { return m.Of(Hexes, 64) }},
	"private-key":     {[]string{"private-key"}, func(m *Maker) string { return m.pem(`\n`, true) }},
	"private-key-cut": {[]string{"private-key"}, func(m *Maker) string { return m.pem(`\n`, false) }},
	"aws-account":     {[]string{"aws-account"}, func(m *Maker) string { return m.Of("123456789", 1) + m.Of(Digits, 11) }},

	"curl-user": {[]string{"curl-auth-user"}, func(m *Maker) string { return m.Of(Lowers, 6) + ":" + m.Of(Alphanum, 12) }},

	// Data.
	"payload-object": {[]string{"payload"}, func(m *Maker) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"customer":"` + m.Of(Letters, 9) + `","total":` + m.number(10, 9999) + `}`))
	}},
	"payload-string": {[]string{"payload"}, func(m *Maker) string { return base64.StdEncoding.EncodeToString([]byte(`"` + m.Of(Letters, 11) + `"`)) }},
	"payload-text":   {[]string{"payload"}, func(m *Maker) string { return `\"` + m.Of(Lowers, 6) + ` ` + m.Of(Lowers, 8) + `\"` }},
	"base64":         {[]string{"base64"}, func(m *Maker) string { return base64.StdEncoding.EncodeToString([]byte(m.Of(Alphanum+" .,:", 90))) }},
	"base64-url":     {[]string{"base64"}, func(m *Maker) string { return m.Of(Alphanum, 40) + m.Of("-_", 1) + m.Of(Alphanum, 50) }},
	"hex":            {[]string{"hex"}, func(m *Maker) string { return m.Of(Hexes, 96) }},

	// Personal data.
	"email": {[]string{"email"}, func(m *Maker) string {
		return m.Of(Lowers, 5) + m.one(".", "_", "+", "") + m.Of(Lowers, 6) + "@" + m.one("example.com", "mail.example.org", "corp.example.co.uk", "bücher.example")
	}},
	"email-url": {[]string{"email"}, func(m *Maker) string { return m.Of(Lowers, 5) + "." + m.Of(Lowers, 6) + "%40example.com" }},
	"ipv4":      {[]string{"ip"}, func(m *Maker) string { return m.one("10.0.", "172.16.", "192.168.", "203.0.") + m.rest() }},
	"ipv6": {[]string{"ip"}, func(m *Maker) string {
		return "2001:db8:" + m.Of("123456789abcdef", 4) + "::" + m.Of("123456789abcdef", 3)
	}},
	"ipv6-full": {[]string{"ip"}, func(m *Maker) string { return "fd00" + strings.Repeat(":"+m.Of("123456789abcdef", 4), 7) }},
	"ip-host": {[]string{"ip"}, func(m *Maker) string {
		return fmt.Sprintf("10-%s-%s-%s", m.number(0, 255), m.number(0, 255), m.number(1, 254))
	}},
	"card": {[]string{"card"}, func(m *Maker) string { return m.card() }},
	"card-groups": {[]string{"card"}, func(m *Maker) string {
		c := m.card()
		return c[:4] + " " + c[4:8] + " " + c[8:12] + " " + c[12:]
	}},
	"phone": {[]string{"phone"}, func(m *Maker) string { return "+49" + m.Of("123456789", 3) + m.Of(Digits, 7) }},
	"phone-spaced": {[]string{"phone"}, func(m *Maker) string {
		return m.one("+1 (415) 555-", "+44 20 7946 ", "+1-202-555-") + "0" + m.Of(Digits, 3)
	}},
	"iban": {[]string{"iban"}, func(m *Maker) string { return m.iban() }},
	"iban-groups": {[]string{"iban"}, func(m *Maker) string {
		i := m.iban()
		return i[:4] + " " + i[4:8] + " " + i[8:12] + " " + i[12:16] + " " + i[16:20] + " " + i[20:]
	}},
}

// rest completes an IPv4 address that begins with two numbers.
func (m *Maker) rest() string { return m.number(1, 254) + "." + m.number(1, 254) }

func (m *Maker) jwt() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"RS256","kid":"`+m.Of(Alphanum, 6)+`"}`) + "." + part(`{"sub":"`+m.Of(Lowers, 8)+`","exp":1767323045}`)
}

func (m *Maker) pem(lineBreak string, whole bool) string {
	var b strings.Builder
	b.WriteString("-----BEGIN " + "RSA PRIVATE KEY-----")
	for range 6 {
		b.WriteString(lineBreak + m.Of(Alphanum+"+/", 64))
	}
	if whole {
		b.WriteString(lineBreak + m.Of(Alphanum, 30) + "==" + lineBreak + "-----END " + "RSA PRIVATE KEY-----")
	}
	return b.String()
}

// card returns a number that no card has, with the right check digit.
func (m *Maker) card() string {
	c := "4000" + m.Of(Digits, 11)
	sum := 0
	for i, digit := range c {
		d := int(digit - '0')
		if i%2 == 0 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return c + strconv.Itoa((10-sum%10)%10)
}

// iban returns an account number with the right check digits. In what they check
// the letters DE are 1314.
func (m *Maker) iban() string {
	account := m.Of(Digits, 18)
	remainder := 0
	for _, digit := range account + "131400" {
		remainder = (remainder*10 + int(digit-'0')) % 97
	}
	return fmt.Sprintf("DE%02d%s", 98-remainder, account)
}
