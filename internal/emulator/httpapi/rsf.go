package httpapi

import "github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"

// listedObject is an object in a listing.
type listedObject struct {
	Key string `json:"key"`
	objectInfo
	Status int `json:"status"` // 1: disabled; always there in a listing, in stat only when it is not 0
}

// listing is the answer of /list.
type listing struct {
	Marker         string         `json:"marker,omitempty"` // absent on the last page
	CommonPrefixes []string       `json:"commonPrefixes,omitempty"`
	Items          []listedObject `json:"items"`
}

// list serves /list?bucket=&prefix=&delimiter=&marker=&limit=&needparts=, with
// query or form.
func (s *Server) list(c *call) (any, error) {
	limit, err := c.number("limit", 0)
	if err != nil {
		return nil, err
	}
	page, err := s.engine.List(engine.ListRequest{
		Owner: c.owner, Bucket: c.params.Get("bucket"),
		Prefix: c.params.Get("prefix"), Delimiter: c.params.Get("delimiter"),
		Marker: c.params.Get("marker"), Limit: limit,
		NeedParts: c.params.Get("needparts") == "true",
	})
	if err != nil {
		return nil, err
	}
	answer := listing{Marker: page.Marker, CommonPrefixes: page.CommonPrefixes, Items: []listedObject{}}
	for _, object := range page.Items {
		if c.fault.hides(object.Bucket, object.Key) {
			continue
		}
		answer.Items = append(answer.Items, listedObject{Key: object.Key, objectInfo: infoOf(object), Status: statusOf(object)})
	}
	return answer, nil
}
