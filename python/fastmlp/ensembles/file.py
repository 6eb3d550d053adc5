"""What the file of an ensemble holds: what the files of its members would hold."""

from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from fastmlp._core import MLP
from fastmlp._files import (
    Tensors,
    check_count,
    check_type,
    json_object,
    text_names,
    text_of,
    text_tensors,
)
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.file import (
    InFile,
    networks_of,
    plain_parameters,
    restored_parameters,
    stacked_parameters,
)

# The texts of the members, and the parameters of all networks but the first.
_MEMBERS, _OTHERS = "members", "networks"


class EnsembleInFile(InFile):
    """Saves and loads an ensemble."""

    _layout = 1
    _keys: ClassVar[set[str]] = {"parameters", "member"}
    _member_class: ClassVar[type[BaseMLP]]

    def _content(self) -> tuple[MLP, dict[str, Any], Tensors]:
        check_is_fitted(self, "estimators_")
        estimator: Any = self
        parameters = plain_parameters(self)
        given = parameters.pop("estimator")
        networks, texts, tensors = [], [], self._feature_names()
        for number, member in enumerate(map(self._as_saved, estimator.estimators_)):
            network, text, parts = member._described()
            networks.append(network)
            texts.append(text)
            tensors |= {f"{number}.{name}": part for name, part in parts.items()}
        tensors |= text_tensors(_MEMBERS, texts) | {_OTHERS: stacked_parameters(networks)}
        content = {
            "parameters": parameters,
            "member": None if given is None else plain_parameters(given),
        }
        return networks[0], content | self._own_content(), tensors

    @classmethod
    def _of_content(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        check_type("parameters", content["parameters"], dict)
        given = content["member"]
        if given is not None:
            given = cls._member_class(**restored_parameters(given))
        ensemble: Any = cls()
        ensemble.set_params(estimator=given, **content["parameters"])
        ensemble._validate_params()
        ensemble._make_member()._validate_params()
        n = ensemble.n_estimators
        check_count("n_estimators", n)
        networks = networks_of(network, _OTHERS, tensors[_OTHERS])
        if len(networks) != n:
            raise ValueError(f"it holds {len(networks)} networks, and n_estimators is {n}")
        members, names = [], text_names(_MEMBERS) | {_OTHERS}
        for number, text in enumerate(text_of(tensors, _MEMBERS, n)):
            prefix = f"{number}."
            own = {name: part for name, part in tensors.items() if name.startswith(prefix)}
            names |= set(own)
            parts = {name.removeprefix(prefix): part for name, part in own.items()}
            described = json_object(_MEMBERS, text)
            members.append(cls._member_class._checked_content(networks[number], described, parts))
        ensemble._set_members(members, content)
        return ensemble, names

    def _own_content(self) -> dict[str, Any]:
        """Say what there is besides the members, as text."""
        return {}

    def _set_members(self, members: list[Any], content: dict[str, Any]) -> None:
        """Take the members that a file has."""
        self.estimators_ = members
        self.n_features_in_ = members[0].n_features_in_

    def _as_saved(self, member: Any) -> Any:
        """Return a member as a file can have it."""
        return member
