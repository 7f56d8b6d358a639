"""What the project brings to run elsewhere: manifests obey Kubernetes' own schemas, the image is modest."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
import yaml
from golden_project import churn, notebook_with, tiny

from nb2prod.emit import emit
from nb2prod.ir.project import Project
from nb2prod.literals import dnslabel

OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()


def rendered(project: Project, path: str) -> str:
    (text,) = (file.text for file in emit(project, notebook_with()) if file.path == path)
    return text


def manifests(project: Project) -> dict[str, dict[str, Any]]:
    found = list(yaml.safe_load_all(rendered(project, "deploy/kubernetes.yaml")))
    return {one["kind"]: one for one in found}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_manifests_obey_the_schemas_of_kubernetes(version: str) -> None:
    for one in manifests(churn()).values():
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("name", ["churn", "nb_2024_sales", "_odd_", "x" * 90])
def test_every_package_name_makes_a_name_for_kubernetes(name: str) -> None:
    for one in manifests(tiny(name=name)).values():
        assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", one["metadata"]["name"])


def test_a_wrong_manifest_would_be_found() -> None:
    deployment = manifests(churn())["Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["readinessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, NEWEST, strict=True)


def test_all_parts_speak_of_the_same_pods() -> None:
    found = manifests(churn())
    assert set(found) == {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "PersistentVolumeClaim",
    }
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    scaled = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert scaled["name"] == found["Deployment"]["metadata"]["name"]
    assert "replicas" not in found["Deployment"]["spec"], "applying it again would undo the autoscaler"


def test_pods_have_no_rights_that_they_do_not_need() -> None:
    pod = manifests(churn())["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    written = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert written == {"/tmp", "/app/artifacts"}


def test_what_was_predicted_outlives_the_pods() -> None:
    found = manifests(churn())
    pod, claim = found["Deployment"]["spec"]["template"]["spec"], found["PersistentVolumeClaim"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    (mount,) = (m for m in pod["containers"][0]["volumeMounts"] if m["mountPath"] == "/app/artifacts")
    assert volumes[mount["name"]]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"], "several pods write"


def test_an_update_waits_for_the_new_and_drains_the_old() -> None:
    spec = manifests(churn())["Deployment"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    seconds = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > seconds + 30  # request_seconds


def test_the_image_is_slim_checked_and_not_root() -> None:
    lines = rendered(churn(), "Dockerfile").replace("\\\n", " ").splitlines()
    words = {line.split()[0]: line for line in lines if line and not line.startswith("#")}
    assert re.fullmatch(r"FROM python:3\.\d+-slim", words["FROM"])
    user = words["USER"].split()[1]
    pod = manifests(churn())["Deployment"]["spec"]["template"]["spec"]
    assert user == str(pod["securityContext"]["runAsUser"]) != "0"
    assert lines.index(words["USER"]) < lines.index(words["ENTRYPOINT"])
    assert "/health" in words["HEALTHCHECK"]
    assert "CHURN_PORT=8080" in words["ENV"] and words["EXPOSE"] == "EXPOSE 8080"
    assert str(pod["containers"][0]["ports"][0]["containerPort"]) == "8080"
    assert words["CMD"] == 'CMD ["serve"]' and words["ENTRYPOINT"].startswith('ENTRYPOINT ["python", "-m"')


def test_further_targets_add_their_files_and_nothing_else() -> None:
    plain = {file.path for file in emit(churn(), notebook_with())}
    more = {file.path for file in emit(replace(churn(), targets=("ray", "sagemaker")), notebook_with())}
    assert more - plain == {
        "src/churn/ray_app.py",
        "deploy/sagemaker/scaling-policy.json",
        "deploy/sagemaker/scaling-target.json",
    }


def test_where_a_version_is_served_is_no_part_of_it() -> None:
    """Else the same features would be another version because of Ray."""
    text = rendered(replace(churn(), targets=("ray",)), "src/churn/versions.py")
    assert '"ray_app.py",' in text[text.index("SERVICE") : text.index("DEFINING")]
    assert "ray[serve]" in rendered(replace(churn(), targets=("ray",)), "pyproject.toml")


def test_the_scaling_policy_scales_the_endpoint_that_the_readme_makes() -> None:
    project = replace(churn(), targets=("sagemaker",))
    target = json.loads(rendered(project, "deploy/sagemaker/scaling-target.json"))
    policy = json.loads(rendered(project, "deploy/sagemaker/scaling-policy.json"))
    readme = rendered(project, "README.md")
    same = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    assert [target[key] for key in same] == [policy[key] for key in same]
    _, endpoint, _, variant = target["ResourceId"].split("/")
    assert f"--endpoint-name {endpoint} " in readme and f"VariantName={variant}," in readme
    assert "aws " not in rendered(churn(), "README.md")


@pytest.mark.parametrize(
    ("name", "label"), [("churn", "churn"), ("house_prices", "house-prices"), ("_9x_", "app-9x")]
)
def test_names_on_kubernetes(name: str, label: str) -> None:
    assert dnslabel(name) == label
