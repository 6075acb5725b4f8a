package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/qiniu/terraform-provider-kodo/internal/actions"
	"github.com/qiniu/terraform-provider-kodo/internal/datasources"
	"github.com/qiniu/terraform-provider-kodo/internal/ephemerals"
	"github.com/qiniu/terraform-provider-kodo/internal/functions"
	"github.com/qiniu/terraform-provider-kodo/internal/resources"
)

// This page is the register of every type that the provider offers, one line each.

func (*kodoProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		resources.NewBucket,
		resources.NewCDNPrefetch,
		resources.NewCDNRefresh,
		resources.NewDirectory,
		resources.NewObject,
		resources.NewObjectCopy,
	}
}

func (*kodoProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		resources.NewBucketList,
		resources.NewObjectList,
	}
}

func (*kodoProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		datasources.NewBucket,
		datasources.NewBuckets,
		datasources.NewCDNLogs,
		datasources.NewObject,
		datasources.NewObjects,
		datasources.NewPrivateURL,
		datasources.NewUploadToken,
	}
}

func (*kodoProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{
		ephemerals.NewPrivateURL,
		ephemerals.NewUploadToken,
	}
}

func (*kodoProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		functions.NewContentType,
		functions.NewEncodeEntry,
		functions.NewFileQetag,
		functions.NewObjectKey,
		functions.NewPublicURL,
		functions.NewQetag,
		functions.NewSaveas,
	}
}

func (*kodoProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{
		actions.NewCDNPrefetch,
		actions.NewCDNRefresh,
	}
}
