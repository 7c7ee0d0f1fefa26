/** Words of the details view. */

import { addWords } from "../ui/i18n.js";

addWords("object", {
  en: {
    share: "Share", more: "More actions", edit: "Edit", allHeaders: "All headers of the answer", oldVersion: "This is an older version", toCurrent: "Go to the current version", deleted: "This object is deleted", deletedText: "A delete marker has hidden it since {date}. Its versions are still here.",
    facts: { title: "Object", key: "Key", size: "Size", type: "Type", target: "Points to", version: "Version ID", encryption: "Encryption", append: "Next append at" },
    preview: {
      title: "Preview", empty: "The object is empty.", none: "There is no preview of this type ({type}). Download it to look at it.", pdf: "PDF files are not opened here. Download it to look at it.",
      large: "This is large ({size}).", anyway: "Show it anyway", broken: "The browser cannot show this.", binary: "This does not look like text. Download it to look at it.", packed: "This is compressed (Content-Encoding) and large. Download it to look at it.",
      first: "the first {part} of {size}", asSource: "shown as source text", source: "Source", laidOut: "Laid out", table: "Table", how: "How to show it", rows: "The first {n} rows", imageOf: "Picture: {name}", textOf: "Text of {name}", pixels: "{width} × {height} pixels",
    },
    headers: {
      title: "Headers and metadata", none: "None are stored.", edit: "Edit headers and metadata", saved: "Headers and metadata are saved.", control: "Control characters cannot be sent in a header.", oldVersion: "Headers of an older version cannot be changed. Make it the current version first.",
      newVersion: "The bucket keeps versions: this makes a new version with the same content.", inPlace: "The content stays as it is; the date of the last change becomes now.",
      "Content-Type": "image/jpeg", "Cache-Control": "max-age=86400", "Content-Disposition": "attachment; filename=\"report.pdf\"", "Content-Encoding": "gzip", "Content-Language": "en", Expires: "Wed, 25 Nov 2026 08:00:00 GMT",
    },
    meta: { title: "User metadata", hint: "Names: letters, digits and hyphens. 8 KiB in all.", name: "Names have letters, digits and hyphens only.", tooMuch: "This is {bytes} bytes; 8,192 are allowed." },
    tags: { title: "Tags", none: "No tags.", edit: "Edit tags", saved: "Tags are saved.", hint: "Up to 10. Letters, digits, spaces and + - = . _ : / are allowed.", long: "Names have at most 128 characters, values 256.", characters: "Only letters, digits, spaces and + - = . _ : / are allowed." },
    acl: {
      title: "Access (ACL)", edit: "Change access", saved: "Access is changed.", default: "Like the bucket", private: "Private", "public-read": "Public: everybody may read", "public-read-write": "Public: everybody may read and replace",
      warn: { "public-read": "Everybody who knows the address can download this object, without signing in.", "public-read-write": "Everybody who knows the address can download and replace this object, without signing in." },
    },
    class: { title: "Storage class", change: "Storage class…", edit: "Change storage class", saved: "The storage class is changed.", note: "The class is recorded and shown; Mossaic keeps the bytes of every class readable at once." },
    versions: { title: "Versions", restore: "Restore", more: "The newest {n} are shown." },
  },
  zh: {
    share: "分享", more: "更多操作", edit: "编辑", allHeaders: "全部响应头", oldVersion: "当前查看的是历史版本", toCurrent: "查看当前版本", deleted: "此文件已删除", deletedText: "自 {date} 起被删除标记隐藏，其历史版本仍然保留。",
    facts: { title: "文件信息", key: "Key", size: "大小", type: "类型", target: "指向", version: "版本 ID", encryption: "加密", append: "下次追加位置" },
    preview: {
      title: "预览", empty: "文件为空。", none: "此类型（{type}）不支持预览，请下载查看。", pdf: "此处不打开 PDF 文件，请下载查看。",
      large: "文件较大（{size}）。", anyway: "仍要显示", broken: "浏览器无法显示此内容。", binary: "内容看起来不是文本，请下载查看。", packed: "文件已压缩（Content-Encoding）且较大，请下载查看。",
      first: "前 {part}，共 {size}", asSource: "以源代码显示", source: "源文本", laidOut: "格式化", table: "表格", how: "显示方式", rows: "仅显示前 {n} 行", imageOf: "图片：{name}", textOf: "{name} 的文本内容", pixels: "{width} × {height} 像素",
    },
    headers: {
      title: "HTTP 头与元数据", none: "未设置。", edit: "编辑 HTTP 头与元数据", saved: "HTTP 头与元数据已保存。", control: "HTTP 头中不能包含控制字符。", oldVersion: "历史版本的 HTTP 头不能修改，请先将其恢复为当前版本。",
      newVersion: "存储空间已开启版本控制：保存后将生成一个内容相同的新版本。", inPlace: "文件内容不变，最后修改时间将更新为现在。",
      "Content-Type": "image/jpeg", "Cache-Control": "max-age=86400", "Content-Disposition": "attachment; filename=\"report.pdf\"", "Content-Encoding": "gzip", "Content-Language": "zh-CN", Expires: "Wed, 25 Nov 2026 08:00:00 GMT",
    },
    meta: { title: "用户自定义元数据", hint: "名称只能包含字母、数字和连字符，总大小不超过 8 KiB。", name: "名称只能包含字母、数字和连字符。", tooMuch: "当前 {bytes} 字节，最多 8,192 字节。" },
    tags: { title: "标签", none: "没有标签。", edit: "编辑标签", saved: "标签已保存。", hint: "最多 10 个。支持字母、数字、空格和 + - = . _ : /。", long: "标签键最长 128 个字符，标签值最长 256 个字符。", characters: "只支持字母、数字、空格和 + - = . _ : /。" },
    acl: {
      title: "读写权限（ACL）", edit: "修改读写权限", saved: "读写权限已修改。", default: "继承存储空间", private: "私有", "public-read": "公共读", "public-read-write": "公共读写",
      warn: { "public-read": "任何知道地址的人无需登录即可下载此文件。", "public-read-write": "任何知道地址的人无需登录即可下载并覆盖此文件。" },
    },
    class: { title: "存储类型", change: "修改存储类型…", edit: "修改存储类型", saved: "存储类型已修改。", note: "存储类型会被记录和显示；在 Mossaic 中，各类型的数据都可以立即读取。" },
    versions: { title: "版本", restore: "恢复", more: "仅显示最新的 {n} 个版本。" },
  },
});
