"""The command `certspool`: each command in a module of its own, loaded only when it is the one that is called."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer

HELP = "不动产证书远程打印 · Remote certificate print spooler."

# Name: its module, what in it, and the line that the overview shows. A group of commands is a Typer called `app`.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("spooler.cli.serve", "serve", "运行属地服务 · Run the home."),
    "submit": ("spooler.cli.submit", "submit", "提交打印请求 · Send a request."),
    "jobs": ("spooler.cli.jobs", "jobs", "列出作业 · List jobs, newest first."),
    "show": ("spooler.cli.jobs", "show", "查看作业 · Show one job and its history."),
    "cancel": ("spooler.cli.jobs", "cancel", "撤回作业 · Cancel a job that is not handed over."),
    "hold": ("spooler.cli.acts", "hold", "查封 · No further pass, no hand-over."),
    "resume": ("spooler.cli.acts", "resume", "解封 · Go on where it stopped."),
    "withdraw": ("spooler.cli.acts", "withdraw", "注销、撤销 · Void the paper, or list it for recovery."),
    "order": ("spooler.cli.acts", "order", "另发订单 · Print at another hall, or again after expiry."),
    "approvals": ("spooler.cli.approvals", "app", "审批 · What waits for a second person."),
    "hall": ("spooler.cli.halls", "app", "受理大厅 · Halls, and writing one off."),
    "render": ("spooler.cli.render", "render", "试排版 · Render a request, unsigned."),
    "items": ("spooler.cli.items", "items", "登记事项 · Registration items: which one yields which document."),
    "templates": ("spooler.cli.templates", "app", "模板 · What is printed where, on which stock."),
    "verify": ("spooler.cli.verify", "verify", "验签 · Is this PDF what a trusted registry sealed?"),
    "electronic": ("spooler.cli.electronic", "electronic", "电子证照 · Fetch a job's electronic certificate."),
    "verify-page": ("spooler.cli.verify_page", "verify_page", "公众查验页 · Serve the public verify page."),
    "documents": ("spooler.cli.documents", "app", "文书保存 · Until when documents are kept; legal holds."),
    "callbacks": ("spooler.cli.callbacks", "app", "回调 · Callbacks that wait or are parked."),
    "broker": ("spooler.cli.broker", "app", "消息中间件 · Set RabbitMQ up, and check it."),
    "grant": ("spooler.cli.grants", "app", "互授权限 · Who may print what where, signed by both sides."),
    "pki": ("spooler.cli.pki", "app", "密钥与信任 · Keys, certificates, the trust directory."),
    "account": ("spooler.cli.account", "app", "登录账号 · People who log in with a password."),
    "audit": ("spooler.cli.audit", "app", "审计日志 · Is the audit log as it was written?"),
    "sandbox": ("spooler.sandbox.cli", "app", "沙箱 · A whole private installation on this machine."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command(given[0] if given else "")(args=given, prog_name="certspool")


def command(called: str) -> "Typer":
    """Return the command line with the called command whole, and of the others only the line for the overview."""
    import typer

    app = typer.Typer(no_args_is_help=True, help=HELP, add_completion=False)
    for name, (module, attribute, line) in COMMANDS.items():
        if name != called:
            app.command(name, help=line)(_not_called)
        elif attribute == "app":
            app.add_typer(getattr(import_module(module), attribute), name=name)
        else:
            app.command(name)(getattr(import_module(module), attribute))
    return app


def _not_called() -> None:
    """Stands for a command in the overview."""
