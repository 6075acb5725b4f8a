// Command terraform-provider-kodo serves the provider "kodo" to Terraform and
// OpenTofu, which start it themselves.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// version is set by the release build with -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "run as a server that a debugger such as delve can attach to")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/qiniu/kodo",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
