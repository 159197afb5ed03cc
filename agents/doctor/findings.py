"""What the doctor may find: each code with its severity and a sentence, Chinese then English, of what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`unsafe`: no pass begins on this printer until it is gone. `warning`: an operator should see to it."""

    UNSAFE = "unsafe"
    WARNING = "warning"


@dataclass(frozen=True)
class Code:
    """One thing that can be wrong. The sentences may name {detail}."""

    severity: Severity
    chinese: str
    english: str
    is_fixed: bool = False  # `doctor --fix` does it
    restarts_cupsd: bool = False  # and cupsd has to be restarted, between jobs, before it counts


@dataclass(frozen=True)
class Finding:
    """Something found; of one printer, or of all (`printer` None)."""

    code: str
    printer: str | None = None
    detail: str = ""  # names of settings, files, queues, jobs: never of people

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def is_unsafe(self) -> bool:
        return self.severity is Severity.UNSAFE

    @property
    def message(self) -> str:
        code = CODES[self.code]
        return f"{code.chinese} · {code.english}".format(detail=self.detail, printer=self.printer or "")


def unsafe_for(printer: str, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what forbids this printer to begin a pass."""
    return tuple(f for f in findings if f.is_unsafe and f.printer in (None, printer))


UNSAFE, WARNING = Severity.UNSAFE, Severity.WARNING
NOT_CALIBRATED = "not-calibrated"

CODES: Mapping[str, Code] = {
    # the queue
    "queue-missing": Code(UNSAFE, "CUPS 中没有该队列，请先建立", "CUPS has no such queue: create it"),
    "class": Code(
        UNSAFE,
        "该队列是打印机组，会自行重发；请改为单台打印机队列",
        "a class sends a job again by itself for ever: name the queue of one printer",
    ),
    "resending-device": Code(
        UNSAFE,
        "设备 {detail} 会自行重发；请改用打印机自己的地址",
        "{detail} sends a job again by itself: write the printer's own address in hall.toml and the queue",
    ),
    "once-not-in-front": Code(
        UNSAFE,
        "队列设备前缺少 once:，请运行 doctor --fix",
        "the queue's device is not behind once: — run doctor --fix",
        is_fixed=True,
    ),
    "device-differs": Code(
        UNSAFE,
        "队列设备与 hall.toml 不一致，请核对后运行 doctor --fix",
        "the queue leads to another device than hall.toml says: check hall.toml, then run doctor --fix",
        is_fixed=True,
    ),
    "device-shared": Code(
        UNSAFE,
        "另一队列 {detail} 也通向同一设备，请删除",
        "queue {detail} leads to the same device: delete it, or give it a printer of its own",
    ),
    "error-policy": Code(
        UNSAFE,
        "出错策略为 {detail}，应为 abort-job；请运行 doctor --fix",
        "the error policy is {detail}, not abort-job: run doctor --fix",
        is_fixed=True,
    ),
    "banner": Code(
        UNSAFE,
        "队列会打印分隔页 {detail}，会用掉一张编号空白证；请运行 doctor --fix",
        "banner pages {detail} would eat a numbered blank: run doctor --fix",
        is_fixed=True,
    ),
    "copies": Code(
        UNSAFE,
        "默认份数为 {detail}，应为 1；请运行 doctor --fix",
        "the queue prints {detail} copies unless told otherwise: run doctor --fix",
        is_fixed=True,
    ),
    "shared": Code(
        UNSAFE,
        "队列已共享到网络；请运行 doctor --fix",
        "the queue is shared on the network: run doctor --fix",
        is_fixed=True,
    ),
    "contimeout": Code(
        UNSAFE,
        "设备地址的 contimeout 为 {detail}（缺省 7 天）；请在 hall.toml 的 device 写 contimeout=60 以内，再运行 doctor --fix",
        "contimeout of the device is {detail} (7 days if not given): write at most 60 seconds into `device` in hall.toml, "
        "then run doctor --fix",
    ),
    "page-size": Code(
        UNSAFE,
        "队列没有该纸张的尺寸 {detail}；请换用正确的 PPD",
        "the queue knows no page of {detail}: give it the description of this stock",
    ),
    NOT_CALIBRATED: Code(
        WARNING,
        "{detail} 面未校准，不打印；请打印校准页并测量（certspool-agent calibrate --help）",
        "side {detail} is not calibrated, and nothing that has it is printed: print a calibration sheet and measure it "
        "(certspool-agent calibrate --help)",
    ),
    "policy-open": Code(
        UNSAFE,
        "队列的操作策略允许他人执行 {detail}；请运行 doctor --fix，重启 cupsd 后再运行一次",
        "the queue's policy lets others do {detail}: run doctor --fix, restart cupsd between jobs, run it again",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    "foreign-job": Code(
        WARNING,
        "证书队列中有他人的作业 {detail}（不会打印）；请查明来源",
        "job {detail} in the certificate queue is not ours (it is not printed): find out who sent it",
    ),
    "foreign-uuid": Code(
        WARNING,
        "作业 {detail} 盗用了本系统的 job-uuid（不会打印）；请查明来源",
        "job {detail} uses a job-uuid of ours (it is not printed): find out who sent it",
    ),
    "document-left": Code(
        WARNING,
        "CUPS 作业 {detail} 已结束而文书仍在其缓存中；请检查 PreserveJobFiles，并清除：cancel -x {detail}",
        "CUPS job {detail} has ended and its document is still in the spool: see to PreserveJobFiles, purge it: cancel -x {detail}",
    ),
    "blocked-reprint": Code(
        WARNING,
        "已送出的 {detail} 又被要求打印（已拦下，未打印）；请查明是谁在 CUPS 中重印（cupsd 崩溃后也会自行重发）",
        "{detail} was asked for again after it was sent (blocked, not printed): find out who restarts jobs in CUPS "
        "(cupsd does it itself after a crash)",
    ),
    # backends
    "once-missing": Code(
        UNSAFE,
        "缺少 once 后端 {detail}；请运行 doctor --fix",
        "the once backend {detail} is not there: run doctor --fix",
        is_fixed=True,
    ),
    "once-mode": Code(
        UNSAFE,
        "once 后端 {detail}，应为 755 且属 cupsd 的所有者；请运行 doctor --fix",
        "the once backend {detail}, it must be 755 and its owner's who runs cupsd: run doctor --fix",
        is_fixed=True,
    ),
    "once-differs": Code(
        UNSAFE,
        "once 后端与本程序版本不一致；请运行 doctor --fix",
        "the once backend is not this version's: run doctor --fix",
        is_fixed=True,
    ),
    "backend-missing": Code(UNSAFE, "缺少打印后端 {detail}，请安装", "the backend {detail} is not there: install it"),
    "backend-mode": Code(
        UNSAFE,
        "打印后端 {detail}，cupsd 的用户无法运行；请换为权限 755 的副本（doctor --fix）",
        "the backend {detail}, which cupsd's user cannot run: put a copy of mode 755 in its place (doctor --fix)",
        is_fixed=True,
    ),
    "permits-variable": Code(
        UNSAFE,
        "cups-files.conf 未把许可目录告诉后端（SetEnv CERTSPOOL_PERMITS）；请运行 doctor --fix 并重启 cupsd",
        "backends are not told of the permit directory (SetEnv CERTSPOOL_PERMITS in cups-files.conf): "
        "run doctor --fix, restart cupsd between jobs",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    "probes-variable": Code(
        WARNING,
        "cups-files.conf 未把探测程序目录告诉后端（SetEnv CERTSPOOL_PROBES）；请运行 doctor --fix 并重启 cupsd",
        "backends are not told of the probe directory (SetEnv CERTSPOOL_PROBES in cups-files.conf): "
        "run doctor --fix, restart cupsd between jobs",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    # the permit directory
    "permits-missing": Code(
        WARNING,
        "尚无许可目录 {detail}；打印端首次启动时建立",
        "there is no permit directory {detail} yet: the agent makes it when it first starts",
    ),
    "permits-in-memory": Code(
        UNSAFE,
        "许可目录在 {detail} 内存文件系统上，断电即失；请移到磁盘",
        "the permit directory is on {detail}: move it to a disk, a restart would forget what was printed",
    ),
    "permits-loose": Code(
        UNSAFE,
        "许可目录的权限或 ACL 不对：{detail}；请运行 doctor --fix",
        "modes or ACLs of the permit directory are wrong: {detail}: run doctor --fix",
        is_fixed=True,
    ),
    "permits-out-of-reach": Code(
        UNSAFE,
        "cupsd 的用户无法进入许可目录：{detail}；请放行上级目录（o+x）或移动许可目录",
        "cupsd's user cannot get to the permit directory: {detail}: let it pass (o+x) or move the permits",
    ),
    "permits-not-ours": Code(
        UNSAFE,
        "许可目录不是账本所认的那一个；请恢复原目录，或重启打印端后核对",
        "the permit directory is not the one that the journal knows: put the true one back, or restart the agent and reconcile",
    ),
    # cupsd
    "settings-unreadable": Code(
        WARNING,
        "无法读取 {detail}，其中的设置未检查；请以 root 运行 doctor",
        "{detail} cannot be read, so its settings were not checked: run doctor as root",
    ),
    "settings-not-in-force": Code(
        UNSAFE,
        "{detail} 在 cupsd 启动之后改过；请在无作业时重启 cupsd",
        "{detail} is newer than the running cupsd: restart it between jobs",
    ),
    "not-durable": Code(
        UNSAFE,
        "cupsd.conf 的 {detail}：断电会丢作业并重用作业号；请运行 doctor --fix 并重启 cupsd",
        "{detail} in cupsd.conf: a killed cupsd loses jobs and gives their numbers out again: "
        "run doctor --fix, restart cupsd between jobs",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    "files-kept": Code(
        UNSAFE,
        "cupsd.conf 的 {detail}：证书文件被保留，任何人可重印；请运行 doctor --fix 并重启 cupsd",
        "{detail} in cupsd.conf: documents are kept and can be printed again: run doctor --fix, restart cupsd between jobs",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    "setting": Code(
        WARNING,
        "CUPS 设置 {detail}；请运行 doctor --fix 并重启 cupsd",
        "the CUPS setting {detail}: run doctor --fix, restart cupsd between jobs",
        is_fixed=True,
        restarts_cupsd=True,
    ),
    "cups-browsed": Code(
        WARNING,
        "cups-browsed 在运行，会自行建立队列；请停用：systemctl disable --now cups-browsed",
        "cups-browsed runs and makes queues by itself: systemctl disable --now cups-browsed",
    ),
    "kill-mode": Code(
        WARNING,
        "systemd 停止 cupsd 时会杀死正在送纸的进程；请运行 doctor --fix，再执行 systemctl daemon-reload",
        "systemd kills a running sender when it stops cupsd: run doctor --fix, then systemctl daemon-reload",
        is_fixed=True,
    ),
}
