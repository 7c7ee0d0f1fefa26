"""`mossaic completion`: what makes a shell finish commands, options, buckets and keys.

Bash cuts words at colons, so `oss://b` reaches it as three words; the script here hands over the whole line instead, and gets back only
what stands behind the last colon.
"""

from __future__ import annotations

import os
import sys
from typing import ClassVar, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

VARIABLE: Final = "_MOSSAIC_COMPLETE"
_PROGRAM: Final = "mossaic"

_SOURCE: Final = """\
%(complete_func)s() {
    local IFS=$'\\n'
    local response line type value

    response=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete "$1")

    for line in $response; do
        IFS=',' read -r type value <<< "$line"

        if [[ $type == 'dir' ]]; then
            COMPREPLY=()
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
            [[ $value == */ ]] && compopt -o nospace
        fi
    done

    return 0
}

%(complete_func)s_setup() {
    complete -o nosort -F %(complete_func)s %(prog_name)s
}

%(complete_func)s_setup;
"""
_PLACES: Final = {
    "bash": '~/.bashrc: eval "$(mossaic completion bash)"',
    "zsh": '~/.zshrc, behind compinit: eval "$(mossaic completion zsh)"',
    "fish": "~/.config/fish/config.fish: mossaic completion fish | source",
}


class Bash(BashComplete):
    """Completion that understands colons in words."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        if not line or line[-1].isspace():
            return words[1:], ""
        return words[1:-1], words[-1] if len(words) > 1 else ""

    def format_completion(self, item: CompletionItem[str]) -> str:
        _, typed = self.get_completion_args()
        cut = typed.rfind(":") + 1 if ":" in os.environ.get("COMP_WORDBREAKS", ":") else 0
        value = item.value[cut:] if item.value.startswith(typed[:cut]) else item.value
        return f"{item.type},{value}"


add_completion_class(Bash)


@click.command()
@click.argument("shell", type=click.Choice(sorted(_PLACES)))
def completion(shell: str) -> None:
    """Print what makes a shell complete commands, options, and the names of buckets and objects.

    \b
    bash:  eval "$(mossaic completion bash)"        in ~/.bashrc
    zsh:   eval "$(mossaic completion zsh)"         in ~/.zshrc, behind compinit
    fish:  mossaic completion fish | source         in ~/.config/fish/config.fish

    Names are asked of the service with the credentials of the environment and the profile, for three seconds at most.
    """  # noqa: D301  # click's mark is a real backspace
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(click.Command(_PROGRAM), {}, _PROGRAM, VARIABLE).source(), nl=False)
    if sys.stdout.isatty():
        click.echo(f"\nTo have it always, put this into {_PLACES[shell]}", err=True)
