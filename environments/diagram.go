package environments

import (
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/diagram"
	"github.com/tekpossible/ha-devops/pipelines"
)

// reach is who reaches an environment's systems, in words.
var reach = map[components.Exposure]string{
	components.Team: "the team's networks", components.Testers: "the testers' networks", components.Public: "the public",
}

// definitions are the environment's pipelines, in the order in which a change passes them.
func definitions(f pipelines.Facts) []pipelines.Pipeline {
	return []pipelines.Pipeline{pipelines.SoftwarePipeline(f), pipelines.ImagePipeline(f), pipelines.InfrastructurePipeline(f)}
}

// RelayDiagram draws how a release goes through the environments: a lane for each, with its branches of the repositories, and the pull
// requests by which people promote. The configurations are those of Profiles, in their order.
func RelayDiagram(configs []Config) diagram.Diagram {
	d := diagram.Diagram{Title: "The relay of " + configs[0].Product}
	for i, p := range Profiles() {
		p = configs[i].adjust(p)
		f := configs[i].Facts(p)
		lane := diagram.Lane{ID: "lane_" + p.Environment, Title: p.Environment}
		for _, pipeline := range definitions(f) {
			id := branch(p, pipeline.Role)
			lane.Boxes = append(lane.Boxes, diagram.Box{ID: id, Title: f.Repositories[pipeline.Role], Note: stages(pipeline), Shape: diagram.Repository})
			d.Arrows = append(d.Arrows, handoffs(p, id, pipeline, false)...)
			if p.Upstream != "" && pipeline.Role == pipelines.Software {
				d.Arrows = append(d.Arrows, diagram.Arrow{From: p.Upstream + "_" + string(pipeline.Role), To: id, Label: "pull request", Dashed: true, Down: true})
			}
		}
		lane.Boxes = append(lane.Boxes, systems(p, f))
		d.Arrows = append(d.Arrows, diagram.Arrow{From: branch(p, pipelines.Infrastructure), To: p.Environment + "_systems", Label: "approved plan"})
		d.Lanes = append(d.Lanes, lane)
	}
	return d
}

// StackDiagram draws what one environment's stack consists of: each component, and each stage of its pipelines.
func StackDiagram(p Profile, c Config) diagram.Diagram {
	p = c.adjust(p)
	f := c.Facts(p)
	d := diagram.Diagram{Title: fmt.Sprintf("Stack %s of %s", p.Environment, c.Product)}
	arrow := func(a diagram.Arrow) { d.Arrows = append(d.Arrows, a) }
	for _, pipeline := range definitions(f) {
		id := branch(p, pipeline.Role)
		lane := diagram.Lane{ID: "lane_" + string(pipeline.Role), Title: fmt.Sprintf("%s: Repo and BranchPipeline %s", pipeline.Role, f.Pipeline(pipeline.Role))}
		lane.Boxes = append(lane.Boxes, diagram.Box{ID: id, Title: f.Repositories[pipeline.Role], Note: "branch " + p.Environment, Shape: diagram.Repository})
		last := id
		for _, stage := range pipeline.Stages {
			box := diagram.Box{ID: id + "_" + strings.ToLower(stage.Name), Title: stage.Name, Note: "a build", Shape: diagram.Stage}
			if stage.Approval != nil {
				box.Shape, box.Note = diagram.Decision, "a person"
			}
			lane.Boxes = append(lane.Boxes, box)
			arrow(diagram.Arrow{From: last, To: box.ID})
			last = box.ID
		}
		d.Arrows = append(d.Arrows, handoffs(p, last, pipeline, true)...)
		switch pipeline.Role {
		case pipelines.Image:
			lane.Boxes = append(lane.Boxes, diagram.Box{ID: "factory", Title: "ImageFactory", Note: f.Name("image"), Shape: diagram.Store})
			arrow(diagram.Arrow{From: last, To: "factory", Label: "bakes with", Dashed: true})
		case pipelines.Infrastructure:
			arrow(diagram.Arrow{From: last, To: p.Environment + "_systems", Label: "approved plan", Down: true})
		}
		d.Lanes = append(d.Lanes, lane)
	}
	d.Lanes = append(d.Lanes,
		diagram.Lane{ID: "lane_systems", Title: p.Environment, Boxes: []diagram.Box{
			{ID: "delivery", Title: "Delivery", Note: "bucket, key, connection, topics", Shape: diagram.Store}, systems(p, f),
		}},
		diagram.Lane{ID: "lane_devops", Title: "devops", Boxes: []diagram.Box{
			{ID: "devops", Title: f.Repositories[pipelines.DevOps], Note: "branch " + components.DefaultBranch, Shape: diagram.Repository},
			{ID: "checks", Title: "Checks", Note: pipelines.ChecksEnvironment(p.Environment) + ", only reads", Shape: diagram.Stage},
		}},
	)
	arrow(diagram.Arrow{From: "devops", To: "checks", Label: "pull request", Dashed: true})
	return d
}

func branch(p Profile, role pipelines.Role) string { return p.Environment + "_" + string(role) }

func stages(p pipelines.Pipeline) string {
	var names []string
	for _, stage := range p.Stages {
		names = append(names, stage.Name)
	}
	return strings.Join(names, ", ")
}

// handoffs are the files that a pipeline writes to other repositories.
func handoffs(p Profile, from string, pipeline pipelines.Pipeline, down bool) []diagram.Arrow {
	var arrows []diagram.Arrow
	for _, file := range pipeline.Writes {
		arrows = append(arrows, diagram.Arrow{From: from, To: branch(p, file.Role), Label: file.Path, Down: down})
	}
	return arrows
}

func systems(p Profile, f pipelines.Facts) diagram.Box {
	return diagram.Box{
		ID: p.Environment + "_systems", Title: "AppEnvironment " + f.Group(), Note: fmt.Sprintf("%d zones, for %s", p.Zones, reach[p.Exposure]), Shape: diagram.Systems,
	}
}
