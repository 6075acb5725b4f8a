package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// logExchange returns the function that writes one debug line for each
// exchange of a client with Kodo. Wherever one of the secrets would appear in
// such a line, Terraform's log masks it.
func logExchange(secrets ...string) func(context.Context, kodo.Exchange) {
	return func(ctx context.Context, x kodo.Exchange) {
		ctx = tflog.MaskAllFieldValuesStrings(ctx, secrets...)
		ctx = tflog.MaskMessageStrings(ctx, secrets...)
		fields := map[string]any{
			"method":     x.Method,
			"service":    x.Service,
			"host":       x.Host,
			"path":       x.Path,
			"status":     x.Status,
			"request_id": x.RequestID,
			"ms":         x.Duration.Milliseconds(),
			"sent":       x.Sent,
			"received":   x.Received,
		}
		if x.Err != nil {
			fields["error"] = x.Err.Error()
		}
		tflog.Debug(ctx, "Kodo exchange", fields)
	}
}

// logProgress writes how far a large upload is.
func logProgress(ctx context.Context, p kodo.Progress) {
	tflog.Info(ctx, "Kodo upload", map[string]any{"bucket": p.Bucket, "key": p.Key, "sent": p.Sent, "size": p.Size})
}
