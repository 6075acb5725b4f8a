// Package provider is the provider "kodo": its configuration and the register
// of its types.
//
// It is the only package that reads the environment, and it reads it only
// through the Environment it is made with. It must never call Kodo: a wrong
// key is noticed by the first type that uses it.
package provider

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ provider.ProviderWithActions            = (*kodoProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*kodoProvider)(nil)
	_ provider.ProviderWithFunctions          = (*kodoProvider)(nil)
	_ provider.ProviderWithListResources      = (*kodoProvider)(nil)
)

// New makes the provider of a released version as Terraform runs it: with the
// environment of this process.
func New(version string) func() provider.Provider {
	return NewIn(version, Environment{Getenv: os.Getenv, Home: os.UserHomeDir, Now: time.Now})
}

// NewIn makes the provider in the given environment. All instances that one
// returned function makes share one budget of memory for uploads.
func NewIn(version string, env Environment) func() provider.Provider {
	buffers := kodo.NewBuffers(kodo.DefaultBufferSize)
	return func() provider.Provider { return &kodoProvider{version: version, env: env, buffers: buffers} }
}

type kodoProvider struct {
	version string
	env     Environment
	buffers *kodo.Buffers
}

type providerModel struct {
	AccessKey   types.String `tfsdk:"access_key"`
	SecretKey   types.String `tfsdk:"secret_key"`
	Profile     types.String `tfsdk:"profile"`
	Bucket      types.String `tfsdk:"bucket"`
	Domain      types.String `tfsdk:"domain"`
	Endpoint    types.String `tfsdk:"endpoint"`
	Endpoints   types.Object `tfsdk:"endpoints"`
	MaxRetries  types.Int64  `tfsdk:"max_retries"`
	IdleTimeout types.String `tfsdk:"idle_timeout"`
	Concurrency types.Int64  `tfsdk:"concurrency"`
	ResumeDir   types.String `tfsdk:"resume_dir"`
}

type endpointsModel struct {
	UC  types.String `tfsdk:"uc"`
	Up  types.String `tfsdk:"up"`
	RS  types.String `tfsdk:"rs"`
	RSF types.String `tfsdk:"rsf"`
	IO  types.String `tfsdk:"io"`
	API types.String `tfsdk:"api"`
	CDN types.String `tfsdk:"cdn"`
}

func (p *kodoProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "kodo"
	resp.Version = p.version
}

func (*kodoProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages buckets and objects of Qiniu Kodo, the object storage of Qiniu Cloud.\n\n" +
			"The pair of keys comes from one source, the first of: `access_key` and `secret_key`, `profile`, the environment variables " +
			"`QINIU_ACCESS_KEY` and `QINIU_SECRET_KEY`, `QINIU_PROFILE`, and the profile `default` of `~/.qiniu/config.toml`.",
		Attributes: map[string]schema.Attribute{
			"access_key": schema.StringAttribute{
				MarkdownDescription: "Access key of the account. Needs `secret_key` beside it. Without both, the keys come from `profile`, from the environment " +
					"variables `QINIU_ACCESS_KEY` and `QINIU_SECRET_KEY`, or from a profile, in this order.",
				Optional:   true,
				Sensitive:  true,
				Validators: []validator.String{accessOrSecretKey()},
			},
			"secret_key": schema.StringAttribute{
				MarkdownDescription: "Secret key that belongs to `access_key`, and is given together with it.",
				Optional:            true,
				Sensitive:           true,
				Validators:          []validator.String{accessOrSecretKey()},
			},
			"profile": schema.StringAttribute{
				MarkdownDescription: "Name of a profile in the configuration file of Qiniu's SDKs, a table such as `[work]` with `access_key` and `secret_key`. " +
					"The file is `~/.qiniu/config.toml`, or what the environment variable `QINIU_CONFIG_FILE` names. " +
					"Can be set with the environment variable `QINIU_PROFILE`; defaults to `default`. Only the keys are taken from the file. " +
					"Not used where `access_key` and `secret_key` are set.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"bucket": schema.StringAttribute{
				MarkdownDescription: "Default bucket of resources that name none. It is used when a resource is created and recorded there: a later change moves nothing. " +
					"Can be set with the environment variable `QINIU_BUCKET_NAME`.",
				Optional:   true,
				Validators: []validator.String{tfkodo.BucketName()},
			},
			"domain": schema.StringAttribute{
				MarkdownDescription: "Download domain of the default bucket, as `host`, `host:port`, or either with `http://` or `https://` before it. " +
					"Without a scheme it gets `https`, or `http` where `endpoint` is `http`. It serves no other bucket. " +
					"Can be set with the environment variable `QINIU_BUCKET_DOMAIN`, which serves the bucket of `QINIU_BUCKET_NAME` only, if that is set too.",
				Optional:   true,
				Validators: []validator.String{tfkodo.Domain()},
			},
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "One base URL for every service of Kodo, such as `http://127.0.0.1:9797` for the emulator, or that of a private cloud. " +
					"Can be set with the environment variable `QINIU_ENDPOINT`, which gives a warning. By default Qiniu's public cloud is used and each bucket's hosts are found by asking it.",
				Optional:   true,
				Validators: []validator.String{baseURL()},
			},
			"endpoints": schema.SingleNestedAttribute{
				MarkdownDescription: "Base URLs of single services, instead of `endpoint` or of what is found by asking Qiniu's public cloud.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"uc":  serviceURL("management of buckets and discovery of the other services"),
					"up":  serviceURL("uploads"),
					"rs":  serviceURL("management of objects"),
					"rsf": serviceURL("listings of objects"),
					"io":  serviceURL("downloads from the source site and fetching of URLs"),
					"api": serviceURL("asynchronous jobs"),
					"cdn": serviceURL("refresh and prefetch of the CDN"),
				},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("How many times a request that failed for a moment is repeated, from 0 to %d, with growing pauses. Defaults to %d.",
					maxMaxRetries, defaultMaxRetries),
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, maxMaxRetries)},
			},
			"idle_timeout": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("How long a request may last without a byte moved or an answer begun: a duration such as `\"45s\"` or `\"2m\"`, "+
					"from one second to one hour. Defaults to `\"%s\"`. An upload that moves has no deadline but that of its `timeouts`.", defaultIdleTimeout),
				Optional:   true,
				Validators: []validator.String{idleTimeout()},
			},
			"concurrency": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("How many requests of this provider may be in flight at once, from 1 to %d. Defaults to %d.",
					maxConcurrency, defaultConcurrency),
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, maxConcurrency)},
			},
			"resume_dir": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Folder in which uploads of files of 64 MiB and more leave a record of what Kodo has already, so that the next apply goes on where one was cut, even by `kill -9`. "+
					"A record holds no key and no token, and is removed when its upload is complete or cannot be resumed. Defaults to `%s` in the working directory; `\"\"` turns it off.", defaultResumeDir),
				Optional: true,
			},
		},
	}
}

func serviceURL(service string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: fmt.Sprintf("Base URL of the service for %s. Defaults to `endpoint`.", service),
		Optional:            true,
		Validators:          []validator.String{baseURL()},
	}
}

func (p *kodoProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	s, diags := p.env.settings(ctx, model)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}

	data := &tfkodo.Provider{
		Unknown:   s.unknown,
		Bucket:    s.bucket,
		Domain:    s.domain,
		Scheme:    s.scheme,
		Home:      p.env.home(),
		KeySource: s.keys.source,
		Now:       p.env.Now,
		Hashes:    &site.Hashes{},
	}
	if s.keys.access != "" {
		data.Signer = kodo.NewSigner(s.keys.access, s.keys.secret)
	}
	if len(s.unknown) == 0 {
		client, err := kodo.New(kodo.Config{
			AccessKey:   s.keys.access,
			SecretKey:   s.keys.secret,
			Endpoints:   s.endpoints,
			MaxRetries:  s.maxRetries,
			IdleTimeout: s.idleTimeout,
			Concurrency: s.concurrency,
			UserAgent:   fmt.Sprintf("terraform-provider-kodo/%s Terraform/%s", p.version, req.TerraformVersion),
			Buffers:     p.buffers,
			ResumeDir:   s.resumeDir,
			Progress:    logProgress,
			Log:         p.logExchange(s.keys.access, s.keys.secret),
		})
		if err != nil {
			resp.Diagnostics.AddError("Provider Not Configured", "The client of Kodo could not be made: "+err.Error())
			return
		}
		data.Client = client
	}

	// Every kind of type gets the same data: forgetting one means a nil client there.
	resp.ResourceData = data
	resp.ListResourceData = data
	resp.DataSourceData = data
	resp.EphemeralResourceData = data
	resp.ActionData = data
}
