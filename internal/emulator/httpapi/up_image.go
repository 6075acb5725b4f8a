package httpapi

import (
	"encoding/json"
	"image"
	"image/color"
	_ "image/gif"  // These three are the images that imageInfo knows.
	_ "image/jpeg" // See above.
	_ "image/png"  // See above.
	"io"
	"strings"
	"sync"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// imageInfo is what Kodo knows of an image (fact:upload-image-info).
type imageInfo struct {
	Size       int64  `json:"size"`
	Format     string `json:"format"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	ColorModel string `json:"colorModel,omitempty"`
}

// withImage adds the variables that tell of an image, for objects that are one. The
// object is looked at when the first of them is asked for.
func (s *Server) withImage(vars policy.Vars, object engine.Object) policy.Vars {
	look := sync.OnceValue(func() *imageInfo { return s.imageInfo(object) })
	return func(name string) any {
		field, isImage := strings.CutPrefix(name, "imageInfo")
		if !isImage {
			return vars(name)
		}
		info := look()
		if info == nil {
			return nil
		}
		switch field {
		case "":
			text, err := json.Marshal(info)
			if err != nil {
				return nil // It is numbers and texts.
			}
			return json.RawMessage(text)
		case ".size":
			return info.Size
		case ".format":
			return info.Format
		case ".width":
			return int64(info.Width)
		case ".height":
			return int64(info.Height)
		case ".colorModel":
			return info.ColorModel
		}
		return nil
	}
}

// imageInfo reads the beginning of an object, and returns nil if it is no image, or
// another object by now.
func (s *Server) imageInfo(object engine.Object) *imageInfo {
	const enough = 1 << 20 // A photograph may have a preview before its size.
	content, err := s.engine.OpenContent(object.Bucket, object.Key)
	if err != nil {
		return nil
	}
	defer content.Close() //nolint:errcheck // It was only read.
	config, format, err := image.DecodeConfig(io.LimitReader(content, enough))
	if err != nil || content.Object.PutTime != object.PutTime {
		return nil
	}
	return &imageInfo{
		Size: object.Size, Format: format, Width: config.Width, Height: config.Height, ColorModel: modelName(config.ColorModel),
	}
}

func modelName(model color.Model) string {
	if _, ok := model.(color.Palette); ok { // It cannot be compared.
		return "paletted"
	}
	switch model {
	case color.YCbCrModel:
		return "ycbcr"
	case color.CMYKModel:
		return "cmyk"
	case color.GrayModel, color.Gray16Model:
		return "gray"
	case color.RGBAModel, color.RGBA64Model:
		return "rgba"
	case color.NRGBAModel, color.NRGBA64Model:
		return "nrgba"
	}
	return ""
}
