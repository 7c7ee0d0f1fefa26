/** Words of the list of buckets. */

import { addWords } from "../ui/i18n.js";

addWords("buckets", {
  en: {
    title: "Buckets", sub: { one: "{n} bucket", other: "{n} buckets" }, create: "Create bucket", open: "Open by name", filter: "Find a bucket",
    name: "Name", acl: "Access", region: "Region", class: "Storage class", objects: "Objects", size: "Size", created: "Created", actions: "Actions for {name}", actionsHead: "Actions",
    noneTitle: "No buckets yet", noneText: "A bucket holds objects: files with a name, a type and properties of their own.", noMatch: "No bucket’s name contains “{text}”.",
    deniedTitle: "You may not list the buckets", deniedText: "Your credentials work for certain buckets only. Open one by its name.", openLabel: "Bucket name", openAct: "Open",
    cors: "This page talks to {endpoint}, which is another origin than {origin}. Each bucket needs a CORS rule that lets this origin in, or the browser blocks what this page does.",
    browse: "Browse objects", settings: "Settings", delete: "Delete…",
    acls: { private: "Private", "public-read": "Public read", "public-read-write": "Public read and write" },
    classes: { Standard: "Standard", IA: "Infrequent access", Archive: "Archive", ColdArchive: "Cold archive", DeepColdArchive: "Deep cold archive" },
    new: {
      title: "Create a bucket", name: "Name", nameHint: "3 to 63 characters: lower-case letters, digits and hyphens. The name cannot be changed later.",
      nameWrong: "Use 3 to 63 lower-case letters, digits and hyphens; begin and end with a letter or digit.",
      acl: "Who may read and write", aclHint: { private: "Only those you give access.", "public-read": "Anyone can read every object, without signing in.", "public-read-write": "Anyone can read, overwrite and delete every object, and fill your disk. Rarely what one wants." },
      class: "Storage class", classHint: "For new objects; each upload may choose another.", cors: "Let web pages of other origins upload here", corsHint: "Adds a CORS rule for every origin. Requests still need credentials.",
      submit: "Create", done: "Bucket “{name}” created.", corsFailed: "The bucket was created, but its CORS rule was not.",
    },
    del: {
      title: "Delete bucket “{name}”?", text: "The bucket and its settings go for good, and its name becomes free for others.", submit: "Delete bucket", done: "Bucket “{name}” deleted.",
      fullTitle: "Bucket “{name}” is not empty", fullText: "Only an empty bucket can be deleted. It still holds:",
      objects: { one: "{n} object, {size}", other: "{n} objects, {size}" }, uploads: { one: "{n} unfinished upload", other: "{n} unfinished uploads" }, hidden: "Old versions or delete markers: look at the objects with their versions shown.",
      toObjects: "Show the objects", toTasks: "Show unfinished uploads",
    },
  },
  zh: {
    title: "存储空间", sub: { other: "共 {n} 个存储空间" }, create: "创建存储空间", open: "按名称打开", filter: "查找存储空间",
    name: "名称", acl: "读写权限", region: "地域", class: "存储类型", objects: "文件数", size: "存储量", created: "创建时间", actions: "{name} 的操作", actionsHead: "操作",
    noneTitle: "还没有存储空间", noneText: "存储空间（Bucket）用于存放文件（Object），每个文件有自己的名称、类型和属性。", noMatch: "没有名称包含 “{text}” 的存储空间。",
    deniedTitle: "没有列举存储空间的权限", deniedText: "当前凭证只能访问部分存储空间，请输入名称打开。", openLabel: "存储空间名称", openAct: "打开",
    cors: "本页面访问的服务 {endpoint} 与页面来源 {origin} 不同源。每个存储空间都需要配置允许该来源的跨域规则（CORS），否则浏览器会拦截本页面的请求。",
    browse: "浏览文件", settings: "设置", delete: "删除…",
    acls: { private: "私有", "public-read": "公共读", "public-read-write": "公共读写" },
    classes: { Standard: "标准存储", IA: "低频访问", Archive: "归档存储", ColdArchive: "冷归档存储", DeepColdArchive: "深度冷归档存储" },
    new: {
      title: "创建存储空间", name: "名称", nameHint: "3～63 个字符，只能包含小写字母、数字和短划线（-）。创建后不可修改。",
      nameWrong: "请使用 3～63 个小写字母、数字或短划线，且以字母或数字开头和结尾。",
      acl: "读写权限", aclHint: { private: "只有获得授权的用户可以访问。", "public-read": "任何人无需登录即可读取所有文件。", "public-read-write": "任何人都可以读取、覆盖和删除所有文件，并占满您的磁盘。请谨慎使用。" },
      class: "存储类型", classHint: "新文件的默认类型，上传时可另行指定。", cors: "允许其他网站的页面上传", corsHint: "添加一条允许所有来源的跨域规则（CORS），请求仍需凭证。",
      submit: "创建", done: "存储空间 “{name}” 已创建。", corsFailed: "存储空间已创建，但跨域规则添加失败。",
    },
    del: {
      title: "删除存储空间 “{name}”？", text: "存储空间及其设置将被永久删除，名称可被他人使用。", submit: "删除存储空间", done: "存储空间 “{name}” 已删除。",
      fullTitle: "存储空间 “{name}” 不为空", fullText: "只能删除空的存储空间，其中还有：",
      objects: { other: "{n} 个文件，{size}" }, uploads: { other: "{n} 个未完成的分片上传" }, hidden: "历史版本或删除标记：请在文件列表中显示历史版本查看。",
      toObjects: "查看文件", toTasks: "查看未完成的上传",
    },
  },
});
