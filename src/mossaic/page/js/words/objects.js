/** Words of the Objects view and of what is done from it. */

import { addWords } from "../ui/i18n.js";

addWords("objects", {
  en: {
    tab: "Objects", table: "Objects of {bucket}", select: "Select {name}", menuOf: "Actions for {name}", noName: "(no name)", upload: "Upload", refresh: "Refresh",
    versions: "Versions", flat: "All levels", folderObject: "folder object", selection: "What is selected", clear: "Clear", show: "Show", goThere: "{done}, to {place}", back: "Back", onward: "Go on",
    selected: { one: "{n} selected", other: "{n} selected" }, folders: { one: "{n} folder", other: "{n} folders" }, andMore: { one: "and {n} more", other: "and {n} more" },
    shownAll: { one: "{n} entry", other: "{n} entries" }, shownMore: "{n} entries shown, there are more", shownLast: "{n} entries here, the last ones",
    column: { name: "Name", size: "Size", class: "Storage class", modified: "Last modified", menu: "Actions" },
    class: { Standard: "Standard", IA: "Infrequent Access", Archive: "Archive", ColdArchive: "Cold Archive", DeepColdArchive: "Deep Cold Archive" },
    type: { Normal: "Normal", Multipart: "Multipart", Appendable: "Appendable", Symlink: "Symbolic link" },
    version: { latest: "current", marker: "delete marker" },
    search: { hint: "Names that begin with…", label: "Search by the beginning of the name" },
    empty: {
      bucket: "This bucket is empty", folder: "This folder is empty", text: "Drop files or folders here to upload them.", search: "No name begins with “{text}”",
      searchHint: "OSS finds names by how they begin; upper and lower case count.", searchBelow: "Look on all levels",
    },
    denied: { prefix: "Folder to open", hint: "If you may list only a part of this bucket, open that part: for example photos/2026/", open: "Open" },
    drop: { here: "Drop to upload to" },
    do: {
      open: "Details", openFolder: "Open", download: "Download", saveAs: "Download to a file, pausable…", share: "Share by link…", copyKey: "Copy the object key", copyPrefix: "Copy the prefix", copy: "Copy…", move: "Move or rename…",
      delete: "Delete…", purge: "Delete for good…", purgeVersion: "Delete this version for good…", purgeMarker: "Delete this marker for good…", restore: "Make this the current version", undelete: "Undelete", count: "Count what is inside…",
    },
    folder: { new: "New folder", title: "New folder", name: "Folder name", hint: "A “/” makes folders within folders.", do: "Create", exists: "There is a folder of this name." },
    fault: {
      empty: "A name is needed.", leading: "An object key does not begin with “/” or “\\”.", nul: "An object key has no NUL character.", long: "The object key would have {bytes} bytes; 1,023 are allowed.",
    },
    count: {
      title: "What is inside", objects: { one: "{n} object", other: "{n} objects" }, markers: { one: "{n} delete marker", other: "{n} delete markers" }, counting: "Counting… {what} so far", capped: "More than {what}",
    },
    delete: {
      titleOne: "Delete this object?", titleFolder: "Delete this folder and everything in it?", titleMany: { one: "Delete {n} entry?", other: "Delete {n} entries?" }, titleVersions: { one: "Delete {n} version for good?", other: "Delete {n} versions for good?" },
      do: "Delete", running: "Deleting", how: "How", hide: "Hide, keep versions", purge: "All versions, for good", word: "delete",
      noUndo: "This cannot be undone.", noUndoVersions: "These versions will be gone; this cannot be undone.", noUndoAll: "Every version will be gone, the older ones as well; this cannot be undone.",
      markers: "The bucket keeps versions: each object gets a delete marker and can be brought back.", suspended: "Versioning is suspended: versions with an ID stay, one written since then is lost.", unknown: "You may not see whether this bucket keeps versions. If it does not, this cannot be undone.",
    },
    copy: { titleOne: "Copy object", titleFolder: "Copy folder", titleMany: { one: "Copy {n} entry", other: "Copy {n} entries" }, do: "Copy", running: "Copying" },
    move: {
      titleOne: "Move or rename object", titleFolder: "Move or rename folder", titleMany: { one: "Move {n} entry", other: "Move {n} entries" }, do: "Move", running: "Moving",
      order: "Each object is copied first and deleted after that. What cannot be copied stays where it is.", markers: "Each object is copied first; then the old key gets a delete marker. Older versions stay under the old key.",
    },
    transfer: {
      prefix: "Into the folder", prefixHint: "Empty means the top of the bucket.", name: "Name", bucket: "Bucket", bucketFault: "This is no bucket name.", there: "If there is an object of that name", keep: "Leave it", overwrite: "Replace it",
      thereHint: "Checked for each object by the service at the moment of the copy.", kept: "Headers, metadata, tags, storage class and ACL go with the object.", same: "That is where it is already.", inside: "A folder cannot go into itself.",
    },
    run: {
      stop: "Stop", over: "Finished", progress: "Progress", of: "{n} of {total}", count: { one: "{n} so far", other: "{n} so far" }, looking: "Looking for objects…", keepOpen: "Keep this page open until it is done.",
      failedSoFar: { one: "{n} has failed so far", other: "{n} have failed so far" }, nothing: "There was nothing to do.", outOf: " of {total}",
      all: { copy: { one: "{n} object copied", other: "{n} objects copied" }, move: { one: "{n} object moved", other: "{n} objects moved" }, delete: { one: "{n} object deleted", other: "{n} objects deleted" }, purge: { one: "{n} version deleted for good", other: "{n} versions deleted for good" } },
      some: { copy: "Copied: {n}", move: "Moved: {n}", delete: "Deleted: {n}", purge: "Deleted for good: {n}" },
      failed: { copy: { one: "{n} could not be copied", other: "{n} could not be copied" }, move: { one: "{n} could not be moved and is still in its old place", other: "{n} could not be moved and are still in their old place" }, delete: { one: "{n} could not be deleted", other: "{n} could not be deleted" }, purge: { one: "{n} could not be deleted", other: "{n} could not be deleted" } },
      skipped: { one: "{n} was left alone, because there is an object of that name:", other: "{n} were left alone, because there is an object of that name:" },
      aclUnknown: "Some ACLs could not be read. Those copies follow the ACL of their bucket.", stoppedByYou: "You stopped it. What is not counted above was not touched.", restUntouched: "It was stopped there. What is not counted above was not touched.",
      times: "{n} ×", report: "Save the account as a text file",
    },
    restore: { done: "{name}: the old version is the current one again." }, undelete: { done: "{name} is back." },
    share: {
      title: "Share by link", do: "Create link", method: "Whoever has the link may", get: "Download it", put: "Replace it", putNote: "An upload by this link replaces the object under this key. It must not send a Content-Type of its own.", expiry: "Valid for", custom: "Another time…", minutes: "Minutes",
      attachment: "Download under a file name", attachmentHint: "Browsers then save it instead of showing it.", fileName: "File name", pair: "Access key pair", keyId: "AccessKey ID", keySecret: "AccessKey secret",
      needsPair: "A link cannot live longer than the keys that sign it, and this session ends in {left}. To sign a longer one, enter an access key pair; it is used in this page once, sent nowhere and kept nowhere.",
      ready: "The link", until: "valid until {date}", link: "The link", copy: "Copy the link", curl: "As a command", warning: "Anybody who has the link can use it until then. It ends earlier when the key that signed it is disabled.",
    },
    saves: { title: "Downloads", progress: "Download of {name}", pause: "Pause", resume: "Go on", paused: "Paused", checking: "Checking", failed: "Stopped", cancelled: "Cancelled", done: "Saved, {size}, complete", proved: "Saved, {size}, checksum verified" },
  },
  zh: {
    tab: "文件", table: "{bucket} 中的文件", select: "选择 {name}", menuOf: "{name} 的操作", noName: "（无名称）", upload: "上传", refresh: "刷新",
    versions: "显示版本", flat: "所有层级", folderObject: "目录对象", selection: "已选内容", clear: "取消选择", show: "查看", goThere: "{done}，目标：{place}", back: "返回", onward: "继续浏览",
    selected: { other: "已选 {n} 项" }, folders: { other: "{n} 个文件夹" }, andMore: { other: "还有 {n} 项" },
    shownAll: { other: "共 {n} 项" }, shownMore: "已显示 {n} 项，后面还有", shownLast: "此处 {n} 项，已到末尾",
    column: { name: "名称", size: "大小", class: "存储类型", modified: "最后修改时间", menu: "操作" },
    class: { Standard: "标准存储", IA: "低频访问", Archive: "归档存储", ColdArchive: "冷归档存储", DeepColdArchive: "深度冷归档存储" },
    type: { Normal: "普通", Multipart: "分片上传", Appendable: "追加写", Symlink: "软链接" },
    version: { latest: "当前版本", marker: "删除标记" },
    search: { hint: "按名称前缀搜索…", label: "按名称前缀搜索" },
    empty: {
      bucket: "存储空间为空", folder: "文件夹为空", text: "将文件或文件夹拖放到此处即可上传。", search: "没有以“{text}”开头的名称",
      searchHint: "OSS 按名称前缀查找，区分大小写。", searchBelow: "在所有层级中查找",
    },
    denied: { prefix: "要打开的文件夹", hint: "如果您只有部分目录的列举权限，请直接打开该目录，例如 photos/2026/", open: "打开" },
    drop: { here: "松开即可上传到" },
    do: {
      open: "详情", openFolder: "打开", download: "下载", saveAs: "下载到指定文件（可暂停）…", share: "分享链接…", copyKey: "复制文件路径（Key）", copyPrefix: "复制前缀", copy: "复制到…", move: "移动或重命名…",
      delete: "删除…", purge: "彻底删除…", purgeVersion: "彻底删除此版本…", purgeMarker: "彻底删除此标记…", restore: "恢复为当前版本", undelete: "恢复文件", count: "统计内容…",
    },
    folder: { new: "新建文件夹", title: "新建文件夹", name: "文件夹名称", hint: "使用“/”可一次创建多级文件夹。", do: "创建", exists: "同名文件夹已存在。" },
    fault: {
      empty: "请输入名称。", leading: "文件名（Object Key）不能以“/”或“\\”开头。", nul: "文件名（Object Key）不能包含 NUL 字符。", long: "文件名（Object Key）将达到 {bytes} 字节，最多 1,023 字节。",
    },
    count: {
      title: "内容统计", objects: { other: "{n} 个文件" }, markers: { other: "{n} 个删除标记" }, counting: "正在统计… 目前 {what}", capped: "超过 {what}",
    },
    delete: {
      titleOne: "删除此文件？", titleFolder: "删除此文件夹及其全部内容？", titleMany: { other: "删除所选 {n} 项？" }, titleVersions: { other: "彻底删除 {n} 个版本？" },
      do: "删除", running: "正在删除", how: "删除方式", hide: "隐藏，保留版本", purge: "彻底删除所有版本", word: "删除",
      noUndo: "此操作无法撤销。", noUndoVersions: "这些版本将被彻底删除，无法撤销。", noUndoAll: "所有版本（包括历史版本）都将被删除，无法撤销。",
      markers: "存储空间已开启版本控制：文件将被加上删除标记，之后可以恢复。", suspended: "版本控制已暂停：带有版本 ID 的版本会保留，暂停之后写入的版本将丢失。", unknown: "您无权查看此存储空间是否开启版本控制。如未开启，此操作无法撤销。",
    },
    copy: { titleOne: "复制文件", titleFolder: "复制文件夹", titleMany: { other: "复制 {n} 项" }, do: "复制", running: "正在复制" },
    move: {
      titleOne: "移动或重命名文件", titleFolder: "移动或重命名文件夹", titleMany: { other: "移动 {n} 项" }, do: "移动", running: "正在移动",
      order: "每个文件先复制、再删除原文件。无法复制的文件保留在原处。", markers: "每个文件先复制，再为原文件加上删除标记；历史版本仍保留在原路径下。",
    },
    transfer: {
      prefix: "目标文件夹", prefixHint: "留空表示存储空间根目录。", name: "名称", bucket: "存储空间", bucketFault: "存储空间名称不合法。", there: "如果同名文件已存在", keep: "保留原有文件", overwrite: "覆盖",
      thereHint: "由服务端在复制每个文件时检查。", kept: "HTTP 头、元数据、标签、存储类型和读写权限（ACL）会一并复制。", same: "它已经在这个位置。", inside: "不能将文件夹放入其自身。",
    },
    run: {
      stop: "停止", over: "已结束", progress: "进度", of: "{n} / {total}", count: { other: "已处理 {n} 个" }, looking: "正在查找文件…", keepOpen: "完成前请保持此页面打开。",
      failedSoFar: { other: "目前 {n} 个失败" }, nothing: "没有需要处理的内容。", outOf: " / {total}",
      all: { copy: { other: "已复制 {n} 个文件" }, move: { other: "已移动 {n} 个文件" }, delete: { other: "已删除 {n} 个文件" }, purge: { other: "已彻底删除 {n} 个版本" } },
      some: { copy: "已复制：{n}", move: "已移动：{n}", delete: "已删除：{n}", purge: "已彻底删除：{n}" },
      failed: { copy: { other: "{n} 个复制失败" }, move: { other: "{n} 个移动失败，仍在原处" }, delete: { other: "{n} 个删除失败" }, purge: { other: "{n} 个删除失败" } },
      skipped: { other: "{n} 个因同名文件已存在而跳过：" },
      aclUnknown: "部分文件的读写权限（ACL）无法读取，其副本将继承存储空间的读写权限。", stoppedByYou: "您已停止操作。未计入上述数字的文件未受影响。", restUntouched: "操作在此处中止。未计入上述数字的文件未受影响。",
      times: "{n} 个", report: "将结果保存为文本文件",
    },
    restore: { done: "{name}：历史版本已恢复为当前版本。" }, undelete: { done: "{name} 已恢复。" },
    share: {
      title: "分享链接", do: "生成链接", method: "持有链接的人可以", get: "下载", put: "上传覆盖", putNote: "通过此链接上传将覆盖该文件。上传时不能自带 Content-Type 请求头。", expiry: "有效期", custom: "自定义…", minutes: "分钟",
      attachment: "以指定文件名下载", attachmentHint: "浏览器将保存文件而不是直接打开。", fileName: "文件名", pair: "访问密钥", keyId: "AccessKey ID", keySecret: "AccessKey Secret",
      needsPair: "链接的有效期不能超过签名所用凭证的有效期，当前会话将在 {left} 后到期。如需更长的有效期，请输入一对访问密钥；它只在本页面中使用一次，不会发送，也不会保存。",
      ready: "链接", until: "有效期至 {date}", link: "链接", copy: "复制链接", curl: "命令行用法", warning: "在此之前，任何持有链接的人都可以使用。如果签名所用的密钥被禁用，链接会提前失效。",
    },
    saves: { title: "下载", progress: "{name} 的下载进度", pause: "暂停", resume: "继续", paused: "已暂停", checking: "正在校验", failed: "已中断", cancelled: "已取消", done: "已保存，{size}，完整", proved: "已保存，{size}，校验通过" },
  },
});
