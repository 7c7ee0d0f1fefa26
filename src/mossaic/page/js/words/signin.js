/** Words of the sign-in. */

import { addWords } from "../ui/i18n.js";

addWords("signin", {
  en: {
    title: "Sign in to Mossaic", sub: "Object storage at {host}",
    kind: "Kind of credentials", pair: "AccessKey pair", triple: "Temporary (STS)",
    id: "AccessKey ID", secret: "AccessKey secret", token: "Security token",
    more: "Region", region: "Region of the service", regionHint: "Part of every signature. Change it only if your service was set up with another.",
    submit: "Sign in", failed: "Not signed in",
    note: "The secret is used once, to get temporary credentials; then this page forgets it. Closing the tab signs you out.",
    noteTriple: "Temporary credentials are kept for this tab only. Closing it signs you out.",
    filled: "Filled in from the pasted credentials.",
  },
  zh: {
    title: "登录 Mossaic", sub: "对象存储服务 {host}",
    kind: "凭证类型", pair: "AccessKey", triple: "临时访问凭证（STS）",
    id: "AccessKey ID", secret: "AccessKey Secret", token: "安全令牌（SecurityToken）",
    more: "地域", region: "服务所在地域", regionHint: "地域参与每个请求的签名计算，仅当服务配置了其他地域时才需修改。",
    submit: "登录", failed: "登录失败",
    note: "AccessKey Secret 只用于换取一次临时访问凭证，之后页面不再保留。关闭标签页即退出登录。",
    noteTriple: "临时访问凭证只保存在当前标签页中，关闭标签页即退出登录。",
    filled: "已根据粘贴的凭证自动填写。",
  },
});
