package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// logExchange returns the function that writes one debug line for each
// exchange of a client with Kodo; nil where the log is off, because making lines
// is a twentieth of what small files cost. Wherever one of the secrets would
// appear in such a line, Terraform's log masks it.
func (p *kodoProvider) logExchange(secrets ...string) func(context.Context, kodo.Exchange) {
	if p.env.Getenv(logLevel) == logOff {
		return nil
	}
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
