/** Words of the frame and of the small pieces. */

import { addWords } from "../ui/i18n.js";

addWords("ui", {
  en: {
    close: "Close", cancel: "Cancel", ok: "OK", save: "Save", retry: "Try again", copy: "Copy", copied: "Copied", copyFailed: "Could not copy: select the text and copy it by hand",
    copyRequestId: "Copy the request ID", requestId: "Request ID", show: "Show what is typed", optional: "optional", required: "This is needed.",
    notNumber: "This is not a number.", atLeast: "At least {min}.", atMost: "At most {max}.", name: "Name", value: "Value", addRow: "Add a row", removeRow: "Remove this row",
    nameMissing: "A value without a name.", nameTwice: "“{name}” is there twice.", typeToConfirm: "Type {typed} to confirm", typedWrong: "This is not “{typed}”.",
    messages: "Messages", loading: "Loading…", more: "Show more", moreFailed: "The rest of the list could not be read.", selectAll: "Select all rows", selectRow: "Select {name}",
    where: "You are here", skip: "Skip to the content", home: "Mossaic, to the buckets", nav: "Main", dock: "Transfers in progress", tools: "Preferences and account",
    buckets: "Buckets", transfers: "Transfers", language: "Language", account: "Account: {name}", region: "Region", signOut: "Sign out", now: "just now", stop: ".", space: "Space",
    bytes: { one: "{n} byte", other: "{n} bytes" },
    unit: { d: "d", h: "h", min: "min", s: "s" },
    theme: { name: "Theme", auto: "Like the system", light: "Light", dark: "Dark" },
    kind: { account: "Account", user: "RAM user", role: "Role", request: "Upload request", unknown: "Signed in" },
    noPage: "Page not found", noPageTitle: "There is nothing at this address", noPageText: "The link may be incomplete or from another version.", toBuckets: "Go to the buckets",
    signOutTitle: "Sign out while uploads are running?",
    signOutText: { one: "{n} upload is running. It is paused; the parts already stored stay on the server, so it can be resumed after signing in again.", other: "{n} uploads are running. They are paused; the parts already stored stay on the server, so they can be resumed after signing in again." },
    session: {
      endsIn: "This session ends in", renewsAt: "Session renews itself before {time}", endsAt: "Session ends at {time}", ended: "The session has ended", endedText: "Uploads wait and lose nothing. Enter fresh temporary credentials to go on, or sign out.",
      provide: "Enter new credentials", provideText: "Temporary credentials from your STS service. Running uploads go on with them.", use: "Go on with these", id: "AccessKey ID", secret: "AccessKey secret", token: "Security token",
    },
    keys: { title: "Keyboard shortcuts", list: "Keyboard shortcuts", buckets: "Go to the buckets", transfers: "Go to the transfers", objects: "Objects of this bucket", upload: "Upload to this bucket", search: "Search in this view", inTables: "In tables", move: "Move", open: "Open", choose: "Select", chooseMore: "Select more" },
  },
  zh: {
    close: "关闭", cancel: "取消", ok: "确定", save: "保存", retry: "重试", copy: "复制", copied: "已复制", copyFailed: "无法复制，请选中文本手动复制",
    copyRequestId: "复制请求 ID", requestId: "请求 ID", show: "显示输入内容", optional: "选填", required: "此项必填。",
    notNumber: "请输入数字。", atLeast: "不能小于 {min}。", atMost: "不能大于 {max}。", name: "名称", value: "值", addRow: "添加一行", removeRow: "删除此行",
    nameMissing: "有值但缺少名称。", nameTwice: "“{name}” 重复。", typeToConfirm: "请输入 {typed} 以确认", typedWrong: "输入内容与 “{typed}” 不一致。",
    messages: "消息", loading: "加载中…", more: "加载更多", moreFailed: "列表的其余部分读取失败。", selectAll: "全选", selectRow: "选择 {name}",
    where: "当前位置", skip: "跳到主要内容", home: "Mossaic，返回存储空间列表", nav: "主导航", dock: "进行中的传输", tools: "偏好设置与账号",
    buckets: "存储空间", transfers: "传输列表", language: "语言", account: "账号：{name}", region: "地域", signOut: "退出登录", now: "刚刚", stop: "。", space: "空格",
    bytes: { other: "{n} 字节" },
    unit: { d: "天", h: "小时", min: "分", s: "秒" },
    theme: { name: "主题", auto: "跟随系统", light: "浅色", dark: "深色" },
    kind: { account: "主账号", user: "RAM 用户", role: "RAM 角色", request: "上传请求", unknown: "已登录" },
    noPage: "页面不存在", noPageTitle: "此地址没有内容", noPageText: "链接可能不完整，或来自其他版本。", toBuckets: "前往存储空间列表",
    signOutTitle: "有上传正在进行，确定退出登录？",
    signOutText: { other: "有 {n} 个上传正在进行。退出后上传将暂停，已上传的分片保留在服务端，重新登录后可断点续传。" },
    session: {
      endsIn: "本次会话剩余时间：", renewsAt: "会话将在 {time} 前自动续期", endsAt: "会话于 {time} 到期", ended: "会话已过期", endedText: "上传任务正在等待，不会丢失。请输入新的临时访问凭证以继续，或退出登录。",
      provide: "输入新的凭证", provideText: "由您的 STS 服务签发的临时访问凭证。正在进行的上传将使用它继续。", use: "使用此凭证继续", id: "AccessKey ID", secret: "AccessKey Secret", token: "安全令牌（SecurityToken）",
    },
    keys: { title: "键盘快捷键", list: "键盘快捷键", buckets: "前往存储空间列表", transfers: "前往传输列表", objects: "当前存储空间的文件", upload: "上传到当前存储空间", search: "在当前页面搜索", inTables: "表格操作", move: "移动", open: "打开", choose: "选择", chooseMore: "连续选择" },
  },
});
