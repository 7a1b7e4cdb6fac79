import { App, BootstraplessSynthesizer, CfnOutput, Size, Stack } from "aws-cdk-lib";
import { AttachmentPolicy } from "./attachment-policy.ts";

const app = new App();
// No assets, so that the account needs no CDK bootstrap
const stack = new Stack(app, "AttachmentPolicies", {
  description: "Declares what may be attached in every Amazon Connect instance of this account and Region",
  synthesizer: new BootstraplessSynthesizer(),
});

const images = ["jpg", "png"];
const documents = ["docx", "pdf"];

const contacts = new AttachmentPolicy(stack, "Contacts", {
  instanceIds: ["*"],
  attachmentScopes: ["CHAT", "TASK"],
  maximumSize: Size.mebibytes(10),
  allowedExtensions: [...documents, ...images],
  onDelete: "Restore",
  reason: "documents and images",
});

new AttachmentPolicy(stack, "Email", {
  instanceIds: ["*"],
  attachmentScopes: ["EMAIL"],
  maximumSize: Size.mebibytes(5),
  allowedExtensions: documents,
  onDelete: "Restore",
});

new CfnOutput(stack, "ChangeId", { value: contacts.changeId });
