// Command ha-devops is the Pulumi program: see package environments.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/environments"
)

func main() { pulumi.Run(environments.Deploy) }
