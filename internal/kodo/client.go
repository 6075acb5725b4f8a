// Package kodo is the client of Qiniu Kodo: the official SDK behind one type, with everything that the SDK lacks or
// does behind its caller's back.
//
// The SDK signs, builds and reads requests. Hosts, retries, connections, uploads and the guards around writes are this
// package's own: nothing is printed, no file is written, no telemetry is sent, every wait ends with its context, and
// two clients in one process share nothing.
//
// The package must never know of Terraform, and never read the environment.
package kodo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/credentials"
	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
	"github.com/qiniu/go-sdk/v7/storagev2/region"
	"github.com/qiniu/go-sdk/v7/storagev2/resolver"
	"github.com/qiniu/go-sdk/v7/storagev2/retrier"
	"github.com/qiniu/go-sdk/v7/storagev2/uplog"
	"golang.org/x/sync/semaphore"
)

// What a Config stands for where it says nothing.
const (
	DefaultIdleTimeout = 30 * time.Second
	DefaultConcurrency = 16
	defaultUserAgent   = "terraform-provider-kodo"
)

// Config is what a Client is made from. Only the keys are required.
type Config struct {
	AccessKey string
	SecretKey string

	// Endpoints names the base URLs of services that are not Qiniu's public cloud, or not to be discovered.
	Endpoints Endpoints

	// MaxRetries is the number of further attempts after the first one; 0 means none.
	MaxRetries int

	// IdleTimeout ends a connection on which no byte has moved for so long, in either direction.
	// 0 means DefaultIdleTimeout. There is no limit to how long a call may take altogether; contexts are for that.
	IdleTimeout time.Duration

	// Concurrency is the number of requests that the Client has in flight at most; 0 means DefaultConcurrency.
	Concurrency int

	// UserAgent is sent with every request.
	UserAgent string

	// Buffers bounds the memory of uploads. Clients that are given the same one share its bound; nil means one of
	// DefaultBufferSize for this Client alone.
	Buffers *Buffers

	// ResumeDir is the folder of records of large uploads, by which a later process resumes them; "" for none.
	ResumeDir string

	// Progress is told how far uploads in parts are, now and then, from many goroutines; nil means nobody is.
	Progress func(ctx context.Context, p Progress)

	// Log is told of every exchange with a server when it is over, from many goroutines; nil means nobody is.
	Log func(ctx context.Context, x Exchange)
}

// A Client talks to Kodo for one account. It is safe for concurrent use.
type Client struct {
	config      Config
	credentials *credentials.Credentials
	wire        *recorder
	storage     *apis.Storage
	http        *http_client.Client
	slots       *semaphore.Weighted // one for each request that may be in flight
	buffers     *Buffers
	endpoints   map[service]*hosts // configured by the caller, and the public hosts of uc and cdn
	discovered  discoveries
	keys        keyLocks
	together    coalescer // operations on objects
	own         memory
	cdnPace     func(ctx context.Context, items int) error // waits until so many may be sent to the CDN
	firstLook   time.Duration                              // before the second look at tasks of the CDN
	firstPause  time.Duration                              // before the second attempt
	resumeFrom  int64                                      // bytes of a file
}

// The SDK's telemetry is one switch for the whole process, without a lock, so it is turned off before any request.
var telemetryOff sync.Once

// New returns a Client. It sends nothing.
func New(config Config) (*Client, error) {
	if config.AccessKey == "" || config.SecretKey == "" {
		return nil, errors.New("the access key and the secret key must both be given")
	}
	if config.MaxRetries < 0 || config.IdleTimeout < 0 || config.Concurrency < 0 {
		return nil, errors.New("retries, idle timeout and concurrency must not be negative")
	}
	endpoints, insecure, err := config.Endpoints.hosts()
	if err != nil {
		return nil, err
	}
	if config.IdleTimeout == 0 {
		config.IdleTimeout = DefaultIdleTimeout
	}
	if config.Concurrency == 0 {
		config.Concurrency = DefaultConcurrency
	}
	if config.UserAgent == "" {
		config.UserAgent = defaultUserAgent
	}
	if config.Buffers == nil {
		config.Buffers = NewBuffers(DefaultBufferSize)
	}
	return newClient(config, endpoints, insecure), nil
}

func newClient(config Config, endpoints map[service]*hosts, insecure bool) *Client {
	telemetryOff.Do(uplog.DisableUplog)
	wire := &recorder{base: newTransport(config), userAgent: config.UserAgent, log: config.Log}
	creds := credentials.NewCredentials(config.AccessKey, config.SecretKey)
	never := http_client.RetryConfig{Retrier: retrier.NewNeverRetrier()}
	options := &http_client.Options{
		Credentials: creds,
		BasicHTTPClient: &http.Client{
			Transport: wire,
			// No call of Kodo redirects, so a redirection is the answer of somebody else: it is reported, not followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		UseInsecureProtocol: insecure,
		Resolver:            resolver.NewEmptyResolver(), // the default one writes a cache file and sends a UDP packet
		HostRetryConfig:     &never,                      // the SDK's pauses ignore the context
		HostsRetryConfig:    &never,
	}
	c := &Client{
		config:      config,
		credentials: creds,
		wire:        wire,
		storage:     apis.NewStorage(options),
		http:        http_client.NewClient(options),
		slots:       semaphore.NewWeighted(int64(config.Concurrency)),
		buffers:     config.Buffers,
		endpoints:   endpoints,
		cdnPace:     newCDNLimiter().WaitN,
		firstLook:   firstLook,
		firstPause:  firstPause,
		resumeFrom:  resumeFrom,
	}
	c.together.send = c.batchOnce
	return c
}

// AccessKeyTail returns the last four characters of the access key, which tell keys apart in messages.
func (c *Client) AccessKeyTail() string {
	key := c.config.AccessKey
	return key[max(0, len(key)-4):]
}

// AccessKeyDigest identifies the access key without telling it: 16 hexadecimal digits of its SHA-256.
func (c *Client) AccessKeyDigest() string {
	sum := sha256.Sum256([]byte(c.config.AccessKey))
	return hex.EncodeToString(sum[:8])
}

// A call is one operation of Kodo, as it is named in errors and sent to a service.
type call struct {
	op      string
	service service
	bucket  string // "" for calls that concern no single bucket
	key     string // for messages
}

// An attempt sends one request to the host that the options name.
type attempt func(ctx context.Context, at *apis.Options) error

// do makes a call, again where that is safe and useful.
func (c *Client) do(ctx context.Context, call call, try attempt) error {
	return c.retry(ctx, func() error { return c.once(ctx, call, try) })
}

// once makes one attempt at a call, after finding out where to send it. Its errors are *Error.
func (c *Client) once(ctx context.Context, call call, try attempt) error {
	if err := checkBucketInURL(call.bucket); err != nil {
		return err
	}
	hosts, err := c.hosts(ctx, call)
	if err != nil {
		return err
	}
	return c.send(ctx, call, StepCall, hosts, try)
}

// send makes one attempt at one of the hosts, within the Client's limit of requests in flight.
func (c *Client) send(ctx context.Context, call call, step Step, hosts *hosts, try attempt) error {
	host := hosts.current()
	failed := &Error{
		Op: call.op, Step: step, Service: string(call.service), Host: host.name(),
		Bucket: call.bucket, Key: call.key, Attempts: 1,
	}
	// The slot is taken before the request is signed: a signature goes stale in a queue.
	if err := c.slots.Acquire(ctx, 1); err != nil {
		failed.Err = context.Cause(ctx)
		return failed
	}
	defer c.slots.Release(1)
	seen := &exchange{service: call.service}
	err := try(seen.within(ctx), &apis.Options{
		OverwrittenEndpoints:  region.Endpoints{Preferred: []string{host.url}},
		OverwrittenBucketName: call.bucket,
	})
	if err == nil {
		return nil
	}
	failed.explain(seen, err)
	if ctx.Err() == nil && c.retryable(failed) {
		hosts.avoid(host)
	}
	return failed
}
