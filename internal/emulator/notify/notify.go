// Package notify posts the events of buckets to those whom their rules name.
//
// Nobody waits for a notification: it is sent after the operation was answered,
// and what cannot be delivered is lost. The package must never decide what an
// event is, and who is told; that is the engine's.
package notify

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
)

const (
	// maxPending is how many notifications may be under way or wait for their next
	// attempt. Those above it are lost, so that a receiver that is down costs no
	// more memory than this.
	maxPending = 10_000
	// maxPosts is how many of them are sent at the same time.
	maxPosts = 32
)

// pauses are those before the second and each further attempt
// (fact:bucket-event-delivery).
func pauses() []time.Duration {
	return []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}
}

// Notifier sends notifications until it is closed.
type Notifier struct {
	client  *outbound.Client
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	posts   chan struct{} // holds one for each post under way
	pending sync.WaitGroup

	mu     sync.Mutex
	count  int // of pending
	closed bool
}

// New returns a Notifier, which must be closed.
func New(client *outbound.Client) *Notifier {
	n := &Notifier{client: client, posts: make(chan struct{}, maxPosts)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// Close gives up what is not delivered, and returns when nothing is sent any more.
func (n *Notifier) Close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.cancel()
	n.pending.Wait()
}

// Tell sends the notifications of an event, and does not wait for them.
func (n *Notifier) Tell(event engine.Event) {
	body, err := message(event)
	if err != nil {
		return // It consists of texts and numbers, which can always be encoded.
	}
	for _, rule := range event.Rules {
		post := outbound.Message{Host: rule.Host, ContentType: "application/json", Body: body}
		if rule.AccessKey == event.Owner { // The keys of others sign nothing (fact:bucket-event-signature).
			post.Scheme, post.AccessKey = auth.QBox, rule.AccessKey
		}
		for _, url := range rule.URLs {
			post.URL = url
			n.begin(post)
		}
	}
}

// begin delivers a notification in the background.
func (n *Notifier) begin(post outbound.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.count == maxPending {
		return
	}
	n.count++
	n.pending.Go(func() {
		n.deliver(post)
		n.mu.Lock()
		n.count--
		n.mu.Unlock()
	})
}

func (n *Notifier) deliver(post outbound.Message) {
	for _, pause := range append(pauses(), 0) {
		if n.attempt(post) {
			return
		}
		select {
		case <-time.After(pause):
		case <-n.ctx.Done():
			return
		}
	}
}

// attempt sends a notification once, and reports whether there is nothing left to
// do: it was received, or the Notifier is closed.
func (n *Notifier) attempt(post outbound.Message) (done bool) {
	select {
	case n.posts <- struct{}{}:
		defer func() { <-n.posts }()
	case <-n.ctx.Done():
		return true
	}
	answer, err := n.client.Post(n.ctx, post)
	return err == nil && answer.Status >= http.StatusOK && answer.Status < http.StatusMultipleChoices
}

// notification is the body of a post; Message is the JSON of a detail.
type notification struct {
	Message   string
	Subject   string
	Timestamp string
}

// detail is what a notification says of the event. The client's address and the
// number of its account are not there: they cannot be made up
// (fact:bucket-event-message).
type detail struct {
	Event      string `json:"event"`
	Time       int64  `json:"time"` // nanoseconds since 1970
	RequestID  string `json:"reqid"`
	AccessKey  string `json:"access_key"`
	Bucket     string `json:"bucket"`
	Key        string `json:"key"`
	Size       int64  `json:"fsize"`
	Hash       string `json:"hash"`
	Type       int    `json:"ftype"`
	MimeType   string `json:"mimetype"`
	Expiration string `json:"restore_expiration,omitempty"`
	DestBucket string `json:"dest_bucket,omitempty"`
	DestKey    string `json:"dest_key,omitempty"`
}

func message(event engine.Event) ([]byte, error) {
	var id [12]byte
	rand.Read(id[:]) //nolint:errcheck // It never fails.
	object := event.Object
	d := detail{
		Event: event.Name, Time: event.Time.UnixNano(), RequestID: base64.URLEncoding.EncodeToString(id[:]),
		AccessKey: event.Owner, Bucket: object.Bucket, Key: object.Key,
		Size: object.Size, Hash: object.Hash, Type: object.FileType, MimeType: object.MimeType,
	}
	if !event.Until.IsZero() {
		d.Expiration = beijing(event.Until)
	}
	if event.Dest != nil {
		d.DestBucket, d.DestKey = event.Dest.Bucket, event.Dest.Key
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return json.Marshal(notification{
		Message: string(text), Subject: "Qiniu KODO Notification", Timestamp: beijing(event.Time),
	})
}

// beijing writes a time as the documentation does.
func beijing(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339)
}
