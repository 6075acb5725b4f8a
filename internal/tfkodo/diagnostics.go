package tfkodo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Diagnose reports a failure of the client as an error of Terraform.
//
// The summary is a constant in Title Case, such as "Bucket Not Created". What
// happened is a clause with the thing quoted, such as `bucket "assets" could
// not be created`. The detail goes on with Kodo's code, text and request id;
// names the source of the keys where the answer may be due to them; and ends
// with a hint. Advice that only the caller can give follows, a paragraph each.
// It never holds a secret.
func (p *Provider) Diagnose(summary, happened string, err error, advice ...string) diag.Diagnostic {
	sentences := append([]string{sentence(happened)}, p.explain(err)...)
	if h := hint(err); h != "" {
		sentences = append(sentences, h)
	}
	paragraphs := append([]string{strings.Join(sentences, " ")}, advice...)
	return diag.NewErrorDiagnostic(summary, strings.Join(paragraphs, "\n\n"))
}

// References to what makes a bucket or an object, as MadeFirst shows them.
const (
	ReferenceToBucket     = "bucket = kodo_bucket.assets.name"
	ReferenceToBucketName = "name = kodo_bucket.assets.name"
	ReferenceToKey        = "key = kodo_object.page.key"
)

// MadeFirst is the advice for what is read and is not there, but may be made by the
// same configuration: an argument that is a reference to it waits for that.
func MadeFirst(err error, reference string) []string {
	if !kodo.IsGone(err) && !kodo.IsNoBucket(err) {
		return nil
	}
	return []string{fmt.Sprintf("If a resource of this configuration makes it, refer to that resource, for example %s: then it is made first.", reference)}
}

// explain says in sentences why it failed.
func (p *Provider) explain(err error) []string {
	var failure *kodo.Error
	switch {
	case errors.Is(err, context.Canceled):
		return []string{"It was cancelled."}
	case errors.Is(err, context.DeadlineExceeded):
		return []string{"The time for it ran out: " + clause(err.Error())}
	case !errors.As(err, &failure):
		return []string{sentence(err.Error())}
	case failure.Code == 0:
		return []string{fmt.Sprintf("There was no answer from %s (service %s)%s: %s",
			failure.Host, failure.Service, attempts(failure), clause(cause(failure)))}
	case failure.RequestID == "":
		return []string{fmt.Sprintf("What answered at %s (service %s) is not Kodo: its answer, %s, has no request id, so nothing is concluded from it.",
			failure.Host, failure.Service, status(failure))}
	default:
		return p.explainAnswer(failure)
	}
}

// explainAnswer says what Kodo answered, and with which keys it was asked if that
// may be the reason.
func (p *Provider) explainAnswer(failure *kodo.Error) []string {
	where := "Kodo"
	if failure.Step == kodo.StepDiscovery {
		where = "Kodo, asked for the hosts of the bucket,"
	}
	sentences := []string{fmt.Sprintf("%s answered %s%s (service %s at %s, request id %s).",
		where, status(failure), attempts(failure), failure.Service, failure.Host, failure.RequestID)}
	if p.Known() && dueToKeys(failure) {
		sentences = append(sentences, fmt.Sprintf("The keys come from %s; the access key ends in %q.",
			p.KeySource, p.Client.AccessKeyTail()))
	}
	return sentences
}

// dueToKeys reports whether other keys could have led to another answer. An
// object's 612 is not among them, unless it came before the object was asked for.
func dueToKeys(failure *kodo.Error) bool {
	switch failure.Code {
	case 403:
		return failure.Reason != kodo.ReasonBucketNotEmpty
	case 401, 404, 419, 631, 400032, 401001, 401002, 404001:
		return true
	case 612:
		return failure.Step == kodo.StepDiscovery
	}
	return false
}

// hint is the one piece of advice that belongs to the failure, or nothing.
func hint(err error) string {
	var failure *kodo.Error
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "Give it more time with timeouts."
	case !errors.As(err, &failure):
		return ""
	case failure.Code == 0:
		return "Check the network and the provider's endpoint, and run it again."
	case failure.RequestID == "":
		return "Check the provider's endpoint and endpoints, and what stands between this machine and Kodo."
	case failure.Code >= 100_000:
		return hintByCDNCode(failure.Code)
	default:
		return hintByCode(failure)
	}
}

// hintByCode is the table of advice for what Kodo answers.
func hintByCode(failure *kodo.Error) string {
	switch failure.Code {
	case 400:
		return "Kodo does not accept an argument, or not at this moment, or not at this host because the bucket is in another region: its own words say which. " +
			"In that last case leave endpoints out of the provider block, so that the hosts of the bucket's own region are found."
	case 401:
		return "Check the access key, the secret key and the clock of this machine: Kodo refuses requests signed 15 minutes off its own clock."
	case 403:
		if failure.Reason == kodo.ReasonBucketNotEmpty {
			return "The bucket still holds objects."
		}
		return "The keys are valid but may not do this: check what the account or its sub-account is permitted to do."
	case 404:
		return "Kodo's services do not know this request: check the provider's endpoint and endpoints."
	case 406:
		return "The bytes were damaged on their way. Run it again."
	case 413:
		return "It is larger than Kodo accepts here."
	case 419:
		return "The account is frozen. Qiniu's console says why."
	case 502, 503, 504:
		return "Kodo is not available at the moment. Run it again later."
	case 571, 573:
		return "Kodo throttles the requests of this bucket or account. " +
			"Lower the provider's concurrency, or raise max_retries."
	case 579:
		return "The object is stored, but the callback that its upload policy names has failed."
	case 599:
		return "Kodo failed internally. Run it again later; Qiniu's support asks for the request id."
	case 608:
		return "It was changed by somebody else in the meantime. Plan again to see how."
	case 612:
		if failure.Step == kodo.StepDiscovery {
			return "There is no such bucket, or it belongs to another account."
		}
		return "It does not exist, or not any more. Plan again to see what is missing."
	case 614:
		return "Something of this name exists already. Import it if it is yours, or choose another name."
	case 616:
		return "It is being changed by somebody else at this moment. Run it again."
	case 630:
		return "The account has as many buckets as it may have. Delete one that is not needed, or ask Qiniu for more."
	case 631:
		return "There is no such bucket, or it belongs to another account."
	case 640:
		return "The listing was interrupted by a change on Kodo's side. Run it again."
	}
	return ""
}

// hintByCDNCode is the table of advice for the CDN's own codes.
func hintByCDNCode(code int) string {
	switch code {
	case 400001, 404001:
		return "The account has no such CDN domain: check the domain, and which account the keys belong to."
	case 400031:
		return "The CDN takes no such URL: give it as a browser asks for it, such as https://cdn.example.com/css/site.css."
	case 400032:
		return "The host is no CDN domain of this account: check it, and which account the keys belong to."
	case 400033, 400034, 400035:
		return "The account's quota of today is used up. Qiniu's support can raise it; a directory counts once for all below it."
	case 400038:
		return "The account may not refresh directories: ask Qiniu's support for the permission, or list URLs instead."
	case 400039:
		return "The CDN takes fewer in one request than it used to. Please report this to the developers of the provider."
	case 400080, 400081, 400082:
		return "The day is none that the CDN has logs of: it is written as 2026-03-01, and not long ago."
	case 401001, 401002:
		return "Check the access key, the secret key and the clock of this machine."
	case 403022, 403024:
		return "The CDN throttles the requests of this account, or of all. Run it again later, or raise max_retries."
	}
	if code/100 == 5000 {
		return "The CDN failed internally. Run it again later; Qiniu's support asks for the request id."
	}
	return ""
}

// status is the code with Kodo's own words, such as `631 "no such bucket"` or
// `401 BadToken "bad token"`.
func status(failure *kodo.Error) string {
	text := strconv.Itoa(failure.Code)
	if failure.Reason != "" {
		text += " " + failure.Reason
	}
	if failure.Message != "" {
		text += " " + strconv.Quote(failure.Message)
	}
	return text
}

// attempts says how often it was tried, if more than once.
func attempts(failure *kodo.Error) string {
	if failure.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf(" after %d attempts", failure.Attempts)
}

// cause is why there was no answer.
func cause(failure *kodo.Error) string {
	if failure.Err == nil {
		return "the reason is not known"
	}
	return strings.ReplaceAll(failure.Err.Error(), "\n", ": ")
}

// sentence makes a sentence of the text: a capital first, a period last.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return clause(string(unicode.ToUpper(first)) + text[size:])
}

// clause ends a sentence with the text.
func clause(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
