package datasources

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var _ datasource.DataSourceWithConfigure = (*cdnLogs)(nil)

// NewCDNLogs is kodo_cdn_logs: the files of the CDN's log of a day.
func NewCDNLogs() datasource.DataSource { return &cdnLogs{} }

type cdnLogs struct {
	provider *tfkodo.Provider
}

type cdnLogsModel struct {
	Domains types.Set     `tfsdk:"domains"`
	Day     types.String  `tfsdk:"day"`
	Logs    []cdnLogModel `tfsdk:"logs"`
}

type cdnLogModel struct {
	Domain types.String `tfsdk:"domain"`
	Name   types.String `tfsdk:"name"`
	Size   types.Int64  `tfsdk:"size"`
	Time   types.String `tfsdk:"time"`
	URL    types.String `tfsdk:"url"`
}

func (*cdnLogs) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cdn_logs"
}

func (*cdnLogs) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The files in which Qiniu's CDN has logged the requests of one day, with links to download them. The CDN writes them some hours later.",
		Attributes: map[string]schema.Attribute{
			"domains": schema.SetAttribute{
				MarkdownDescription: "CDN domains of the account, at least one, each a host such as `www.example.com`, perhaps with a port or a scheme before it.",
				ElementType:         types.StringType,
				Required:            true,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.NoNullValues(), setvalidator.ValueStringsAre(tfkodo.Domain())},
			},
			"day": schema.StringAttribute{
				MarkdownDescription: "Day in Beijing's time, such as `2026-03-01`.",
				Required:            true,
				Validators:          []validator.String{day()},
			},
			"logs": schema.ListNestedAttribute{
				MarkdownDescription: "The files, in the order of their domains and names.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"domain": schema.StringAttribute{MarkdownDescription: "Domain that the file is about.", Computed: true},
					"name":   schema.StringAttribute{MarkdownDescription: "Name of the file, which tells the hour.", Computed: true},
					"size":   schema.Int64Attribute{MarkdownDescription: "Size in bytes, as it is compressed.", Computed: true},
					"time":   schema.StringAttribute{MarkdownDescription: "When the file was changed last, as an RFC 3339 instant in UTC.", Computed: true},
					"url": schema.StringAttribute{
						MarkdownDescription: "Link to the file. It is signed: whoever has it can read the file, until the CDN lets it expire.",
						Computed:            true,
						Sensitive:           true,
					},
				}},
			},
		},
	}
}

// day accepts a date as the CDN writes one.
func day() validator.String {
	return tfkodo.StringRule(`must be a day, for example "2026-03-01"`, func(s string) error {
		_, err := time.Parse(time.DateOnly, s)
		return err
	})
}

func (d *cdnLogs) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (d *cdnLogs) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model cdnLogsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.provider.RequireClient("list the logs of the CDN")...)
	var domains []string
	resp.Diagnostics.Append(model.Domains.ElementsAs(ctx, &domains, false)...)
	if resp.Diagnostics.HasError() {
		return
	}
	hosts := make([]string, len(domains))
	for i, domain := range domains {
		_, host, schemed := strings.Cut(domain, "://")
		if !schemed {
			host = domain
		}
		hosts[i] = host
	}
	logs, err := d.provider.Client.CDNLogs(ctx, hosts, model.Day.ValueString())
	if err != nil {
		resp.Diagnostics.Append(d.provider.Diagnose("CDN Logs Not Listed", fmt.Sprintf("the logs of %s on %s could not be listed", strings.Join(hosts, ", "), model.Day.ValueString()), err))
		return
	}
	model.Logs = []cdnLogModel{} // none is an empty list, not null
	for _, log := range logs {
		model.Logs = append(model.Logs, cdnLogModel{
			Domain: types.StringValue(log.Domain), Name: types.StringValue(log.Name), Size: types.Int64Value(log.Size),
			Time: types.StringValue(log.Time.Format(time.RFC3339)), URL: types.StringValue(log.URL),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}
