package kodo

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// discoveries remembers which hosts serve which bucket, for as long as the answer said.
type discoveries struct {
	asking keyLocks // one question for each bucket at a time
	mu     sync.Mutex
	known  map[string]discovery
}

type discovery struct {
	services map[service]*hosts
	until    time.Time
}

func (d *discoveries) get(bucket string) (discovery, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.known[bucket]
	return found, ok && time.Now().Before(found.until)
}

func (d *discoveries) set(bucket string, found discovery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = make(map[string]discovery)
	}
	d.known[bucket] = found
}

// forget is for buckets that come and go: a new one of the same name may be in another region.
func (d *discoveries) forget(bucket string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, bucket)
}

// hosts returns where to send a call: the configured endpoint of its service, or what discovery says of its bucket.
func (c *Client) hosts(ctx context.Context, call call) (*hosts, error) {
	if given, ok := c.endpoints[call.service]; ok {
		return given, nil
	}
	found, err := c.discover(ctx, call)
	if err != nil {
		return nil, err
	}
	hosts, ok := found.services[call.service]
	if !ok {
		return nil, c.undiscovered(call, fmt.Errorf("the hosts of the bucket hold none of the service %s", call.service))
	}
	return hosts, nil
}

// undiscovered is the error of a discovery for which nothing was sent.
func (c *Client) undiscovered(call call, cause error) *Error {
	return &Error{
		Op: call.op, Step: StepDiscovery, Service: string(serviceUC), Host: c.endpoints[serviceUC].current().name(),
		Bucket: call.bucket, Key: call.key, Attempts: 1, Err: cause,
	}
}

// discover asks once for the hosts of the call's bucket, unless the answer is known.
func (c *Client) discover(ctx context.Context, call call) (discovery, error) {
	if found, ok := c.discovered.get(call.bucket); ok {
		return found, nil
	}
	unlock, err := c.discovered.asking.lock(ctx, call.bucket, "")
	if err != nil {
		return discovery{}, c.undiscovered(call, err)
	}
	defer unlock()
	if found, ok := c.discovered.get(call.bucket); ok {
		return found, nil
	}
	asked := call
	asked.service = serviceUC
	var found discovery
	err = c.send(ctx, asked, StepDiscovery, c.endpoints[serviceUC], func(ctx context.Context, at *apis.Options) error {
		answer, err := c.storage.QueryBucketV4(ctx, &apis.QueryBucketV4Request{
			Bucket: call.bucket, AccessKey: c.config.AccessKey,
		}, at)
		if err != nil {
			return err
		}
		found = c.readDiscovery(answer)
		return nil
	})
	if err != nil {
		return discovery{}, err
	}
	c.discovered.set(call.bucket, found)
	return found, nil
}

// readDiscovery takes the bucket's primary region, which Kodo names first.
func (c *Client) readDiscovery(answer *apis.QueryBucketV4Response) discovery {
	found := discovery{services: make(map[service]*hosts)}
	if len(answer.Hosts) == 0 {
		return found
	}
	region := answer.Hosts[0]
	found.until = time.Now().Add(time.Duration(region.TimeToLive) * time.Second)
	for service, names := range map[service][][]string{
		serviceUp: {
			region.UpDomains.AcceleratedUpDomains, region.UpDomains.PreferedUpDomains, region.UpDomains.AlternativeUpDomains,
		},
		serviceRS:     {region.RsDomains.PreferedRsDomains},
		serviceRSF:    {region.RsfDomains.PreferedRsfDomains},
		serviceOrigin: {region.IoSrcDomains.PreferedIoSrcDomains},
	} {
		var urls []string
		for _, some := range names {
			for _, name := range some {
				urls = append(urls, c.baseURL(name))
			}
		}
		if len(urls) > 0 {
			found.services[service] = newHosts(urls)
		}
	}
	return found
}

// baseURL adds the scheme to a host that discovery named without one.
func (c *Client) baseURL(name string) string {
	switch {
	case strings.Contains(name, "://"):
		return strings.TrimSuffix(name, "/")
	case c.http.UseInsecureProtocol():
		return "http://" + name
	default:
		return "https://" + name
	}
}
