package dsqltest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Actions that a token is signed for.
const (
	actionConnect      = "DbConnect"
	actionConnectAdmin = "DbConnectAdmin"
)

// clockSkew is how far the clocks of signer and server may be apart.
const clockSkew = 5 * time.Minute

// keys are the AWS credentials that the stand-in knows.
type keys struct{ id, secret string }

func newKeys() keys {
	return keys{id: "AKIA" + rand.Text()[:16], secret: rand.Text()}
}

// Retrieve gives the credentials to whoever signs with them.
func (k keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, Source: "dsqltest"}, nil
}

// verify checks an IAM token: a URL presigned with AWS Signature Version 4 for
// the service dsql, without its scheme. It returns why it is no good.
func (k keys) verify(token, host, region, action string, now instant.Instant) error {
	address, query, found := strings.Cut(token, "?")
	if !found {
		return fmt.Errorf("the password is not an IAM token")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("the token cannot be read: %w", err)
	}
	if got := strings.TrimSuffix(address, "/"); got != host {
		return fmt.Errorf("the token is for %s, not for %s", got, host)
	}
	if got := values.Get("Action"); got != action {
		return fmt.Errorf("the token is for the action %q, this role needs %s", got, action)
	}
	date := values.Get("X-Amz-Date")
	signedAt, err := dateOfToken(date)
	if err != nil {
		return err
	}
	expires, err := strconv.Atoi(values.Get("X-Amz-Expires"))
	if err != nil || expires < 1 || expires > 604800 {
		return fmt.Errorf("the token is valid for %q seconds; 1 to 604800 are allowed", values.Get("X-Amz-Expires"))
	}
	switch {
	case signedAt.After(now.Add(clockSkew)):
		return fmt.Errorf("the token was signed in the future, at %s", signedAt)
	case !now.Before(signedAt.Add(time.Duration(expires) * time.Second)):
		return fmt.Errorf("the token has expired: it was signed at %s for %d s", signedAt, expires)
	}
	scope := strings.Join([]string{date[:8], region, "dsql", "aws4_request"}, "/")
	if got, want := values.Get("X-Amz-Credential"), k.id+"/"+scope; got != want {
		return fmt.Errorf("the token's credential is %q, want %q", got, want)
	}
	if got := values.Get("X-Amz-SignedHeaders"); got != "host" {
		return fmt.Errorf("the token signs the headers %q, want host", got)
	}
	if !hmac.Equal([]byte(values.Get("X-Amz-Signature")), []byte(k.sign(query, host, scope, date))) {
		return fmt.Errorf("the token's signature does not match")
	}
	return nil
}

// dateOfToken reads the compact date of an AWS signature, 20261124T030430Z.
func dateOfToken(date string) (instant.Instant, error) {
	if len(date) != 16 {
		return instant.Instant{}, fmt.Errorf("the token's date is %q; it is written like 20261124T030430Z", date)
	}
	return instant.Parse(date[:4] + "-" + date[4:6] + "-" + date[6:11] + ":" + date[11:13] + ":" + date[13:])
}

// sign computes the signature of a presigned GET of a host's root.
func (k keys) sign(query, host, scope, date string) string {
	parameters := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool {
		return strings.HasPrefix(p, "X-Amz-Signature=")
	})
	slices.Sort(parameters)
	body := sha256.Sum256(nil)
	request := strings.Join([]string{
		"GET", "/", strings.Join(parameters, "&"), "host:" + host, "", "host", hex.EncodeToString(body[:]),
	}, "\n")
	digest := sha256.Sum256([]byte(request))
	key := []byte("AWS4" + k.secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hex.EncodeToString(digest[:])}, "\n")
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, text string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(text))
	return hash.Sum(nil)
}
