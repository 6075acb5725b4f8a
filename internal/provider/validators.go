package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// What the arguments default to and may be.
const (
	defaultMaxRetries = 5
	maxMaxRetries     = 20

	defaultIdleTimeout = kodo.DefaultIdleTimeout
	minIdleTimeout     = time.Second
	maxIdleTimeout     = time.Hour
	idleTimeoutRule    = `must be a duration from one second to one hour, for example "30s" or "2m"`

	defaultConcurrency = kodo.DefaultConcurrency
	defaultResumeDir   = ".terraform"
	maxConcurrency     = 256

	baseURLRule = `must be a base URL with http or https, for example "http://127.0.0.1:9797"`
)

// baseURL is the rule for endpoints.
func baseURL() validator.String {
	return tfkodo.HiddenStringRule(baseURLRule, checkBaseURL)
}

// checkBaseURL repeats a wrong URL, but not one that holds a password.
func checkBaseURL(s string) error {
	switch {
	case strings.Contains(s, "@"):
		return errors.New("a URL with a user name or a password")
	case kodo.CheckEndpoint(s) != nil:
		return fmt.Errorf("%q", s)
	}
	return nil
}

// accessOrSecretKey is the rule for keys, which are never repeated.
func accessOrSecretKey() validator.String {
	return tfkodo.HiddenStringRule("must be a key as Qiniu shows it, or be left out", checkKey)
}

func checkKey(s string) error {
	if s == "" {
		return errors.New("an empty text")
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return errors.New("a text with white space or other characters that no key has")
		}
	}
	return nil
}

func idleTimeout() validator.String {
	return tfkodo.StringRule(idleTimeoutRule, func(s string) error {
		_, err := parseIdleTimeout(s)
		return err
	})
}

func parseIdleTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, err
	}
	if d < minIdleTimeout || d > maxIdleTimeout {
		return 0, fmt.Errorf("%s is outside of %s to %s", d, minIdleTimeout, maxIdleTimeout)
	}
	return d, nil
}
