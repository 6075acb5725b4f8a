package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Environment is all that the provider sees of the process around it.
type Environment struct {
	Getenv func(name string) string // like os.Getenv
	Home   func() (string, error)   // like os.UserHomeDir
	Now    func() time.Time         // like time.Now
}

// home is the home folder, empty where the system knows none.
func (e Environment) home() string {
	home, err := e.Home()
	if err != nil {
		return ""
	}
	return home
}

// The environment variables that the provider reads. There are no others.
const (
	envAccessKey  = "QINIU_ACCESS_KEY"
	envSecretKey  = "QINIU_SECRET_KEY"
	envProfile    = "QINIU_PROFILE"
	envConfigFile = "QINIU_CONFIG_FILE"
	envBucket     = "QINIU_BUCKET_NAME"
	envDomain     = "QINIU_BUCKET_DOMAIN"
	envEndpoint   = "QINIU_ENDPOINT"
)

const summaryEnvironment = "Invalid Environment Variable"

// settings is what the provider is configured with, wherever it came from.
type settings struct {
	keys        keyPair
	bucket      types.String
	domain      types.String
	scheme      types.String
	endpoints   kodo.Endpoints
	maxRetries  int
	idleTimeout time.Duration
	concurrency int
	resumeDir   string

	// unknown names the arguments that the client needs and that are not known
	// yet. The fields they would have decided are zero.
	unknown []string
}

// settings finds each setting: first in the provider block, then in the
// environment, then its default. What is wrong is said on the argument.
func (e Environment) settings(ctx context.Context, m providerModel) (settings, diag.Diagnostics) {
	var s settings
	var diags diag.Diagnostics
	s.readKeys(e, m, &diags)
	s.readEndpoints(ctx, e, m, &diags)
	s.readDefaultBucket(e, m, &diags)
	s.readLimits(m, &diags)
	return s, diags
}

// readKeys takes the pair of keys from the first source that has any of it.
// Keys of two sources are never combined: they would belong to two accounts.
func (s *settings) readKeys(e Environment, m providerModel, diags *diag.Diagnostics) {
	if m.AccessKey.IsUnknown() || m.SecretKey.IsUnknown() {
		s.notKnown(m.AccessKey, "access_key")
		s.notKnown(m.SecretKey, "secret_key")
		return
	}
	var problem diag.Diagnostic
	switch {
	case !m.AccessKey.IsNull() || !m.SecretKey.IsNull():
		s.keys, problem = complete(keyPair{
			access: m.AccessKey.ValueString(), secret: m.SecretKey.ValueString(), source: "the provider block",
		}, "access_key", "secret_key")

	case m.Profile.IsUnknown():
		s.notKnown(m.Profile, "profile")

	case !m.Profile.IsNull():
		s.keys, problem = e.profileKeys(m.Profile.ValueString(), "profile in the provider block")

	case e.Getenv(envAccessKey) != "" || e.Getenv(envSecretKey) != "":
		s.keys, problem = complete(keyPair{
			access: e.Getenv(envAccessKey), secret: e.Getenv(envSecretKey),
			source: "the environment variables " + envAccessKey + " and " + envSecretKey,
		}, envAccessKey, envSecretKey)

	case e.Getenv(envProfile) != "":
		s.keys, problem = e.profileKeys(e.Getenv(envProfile), "the environment variable "+envProfile)

	default:
		s.keys, problem = e.defaultProfileKeys()
	}
	if problem != nil {
		diags.Append(problem)
	}
}

// readEndpoints finds the base URL of each service. One that nothing names
// stays empty, and is found by asking Qiniu's public cloud.
func (s *settings) readEndpoints(ctx context.Context, e Environment, m providerModel, diags *diag.Diagnostics) {
	every := m.Endpoint.ValueString()
	if fromEnv := e.Getenv(envEndpoint); fromEnv != "" && m.Endpoint.IsNull() {
		if err := checkBaseURL(fromEnv); err != nil {
			diags.AddAttributeError(path.Root("endpoint"), summaryEnvironment, fmt.Sprintf(
				"The environment variable %s %s, got: %s", envEndpoint, baseURLRule, err))
			return
		}
		every = fromEnv
		diags.AddAttributeWarning(path.Root("endpoint"), "Endpoint Taken From the Environment", fmt.Sprintf(
			"The environment variable %s is set, so this provider's requests go to %s and not to Qiniu's public cloud. "+
				"Set endpoint in the provider block to say so in the configuration, or unset the variable.", envEndpoint, fromEnv))
	}
	s.scheme = types.StringValue("https")
	if strings.HasPrefix(strings.ToLower(every), "http://") {
		s.scheme = types.StringValue("http")
	}
	if m.Endpoint.IsUnknown() {
		s.notKnown(m.Endpoint, "endpoint")
		s.scheme = types.StringUnknown()
	}

	s.notKnown(m.Endpoints, "endpoints")
	var single endpointsModel
	if !m.Endpoints.IsNull() && !m.Endpoints.IsUnknown() {
		diags.Append(m.Endpoints.As(ctx, &single, basetypes.ObjectAsOptions{})...)
	}
	of := func(service string, own types.String) string {
		s.notKnown(own, "endpoints."+service)
		if own.IsNull() {
			own = types.StringValue(every)
		}
		return strings.TrimSuffix(own.ValueString(), "/")
	}
	s.endpoints = kodo.Endpoints{
		UC:  of("uc", single.UC),
		Up:  of("up", single.Up),
		RS:  of("rs", single.RS),
		RSF: of("rsf", single.RSF),
		IO:  of("io", single.IO),
		API: of("api", single.API),
		CDN: of("cdn", single.CDN),
	}
}

// readDefaultBucket finds the default bucket and its domain. Unlike the other
// arguments these may stay unknown: the client does not need them.
func (s *settings) readDefaultBucket(e Environment, m providerModel, diags *diag.Diagnostics) {
	s.bucket, s.domain = m.Bucket, m.Domain
	bucketFromEnv, domainFromEnv := e.Getenv(envBucket), e.Getenv(envDomain)
	if m.Bucket.IsNull() && bucketFromEnv != "" {
		s.bucket = types.StringValue(bucketFromEnv)
		if err := kodo.CheckBucketName(bucketFromEnv); err != nil {
			diags.AddAttributeError(path.Root("bucket"), summaryEnvironment, fmt.Sprintf(
				"The environment variable %s does not hold the name of a bucket: %s.", envBucket, err))
		}
	}
	if m.Domain.IsNull() && domainFromEnv != "" {
		s.domain = domainOf(s.bucket, bucketFromEnv, domainFromEnv)
		if err := kodo.CheckDomain(domainFromEnv); err != nil {
			diags.AddAttributeError(path.Root("domain"), summaryEnvironment, fmt.Sprintf(
				"The environment variable %s does not hold a download domain: %s.", envDomain, err))
		}
	}
	if s.bucket.IsNull() && !m.Domain.IsNull() && !m.Domain.IsUnknown() {
		diags.AddAttributeError(path.Root("domain"), "Domain Without a Bucket", fmt.Sprintf(
			"domain is the download domain of the default bucket, and there is no default bucket. "+
				"Set bucket in the provider block or the environment variable %s, or set domain on the resources.", envBucket))
	}
}

// domainOf is the environment's domain if it belongs to the default bucket: it
// is the domain of the environment's bucket, or of any default bucket where
// the environment names none.
func domainOf(bucket types.String, bucketFromEnv, domainFromEnv string) types.String {
	switch {
	case bucket.IsNull():
		return types.StringNull()
	case bucketFromEnv == "" || bucket.ValueString() == bucketFromEnv:
		return types.StringValue(domainFromEnv)
	case bucket.IsUnknown():
		return types.StringUnknown()
	default:
		return types.StringNull()
	}
}

// readLimits takes what only the provider block can set.
func (s *settings) readLimits(m providerModel, diags *diag.Diagnostics) {
	s.maxRetries, s.idleTimeout, s.concurrency = defaultMaxRetries, defaultIdleTimeout, defaultConcurrency
	s.notKnown(m.MaxRetries, "max_retries")
	s.notKnown(m.IdleTimeout, "idle_timeout")
	s.notKnown(m.Concurrency, "concurrency")
	s.notKnown(m.ResumeDir, "resume_dir")
	if s.resumeDir = defaultResumeDir; !m.ResumeDir.IsNull() {
		s.resumeDir = m.ResumeDir.ValueString()
	}
	if !m.MaxRetries.IsNull() {
		s.maxRetries = int(m.MaxRetries.ValueInt64())
	}
	if !m.Concurrency.IsNull() {
		s.concurrency = int(m.Concurrency.ValueInt64())
	}
	if m.IdleTimeout.IsNull() || m.IdleTimeout.IsUnknown() {
		return
	}
	timeout, err := parseIdleTimeout(m.IdleTimeout.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("idle_timeout"), "Invalid Attribute Value", fmt.Sprintf(
			"Attribute idle_timeout %s, got: %q", idleTimeoutRule, m.IdleTimeout.ValueString()))
	}
	s.idleTimeout = timeout
}

// notKnown notes that the client needs the argument, if its value is unknown.
func (s *settings) notKnown(value attr.Value, argument string) {
	if value.IsUnknown() {
		s.unknown = append(s.unknown, argument)
	}
}
