using System.Management.Automation;
using IngestTools.Http;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Takes an address. PowerShell's own conversion quotes an address that it cannot read, with the password that is in it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AddressAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (given is null or Uri)
            return given;
        string text = LanguagePrimitives.ConvertTo<string>(given);
        return Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out Uri? address)
            ? address
            : throw new ArgumentTransformationMetadataException(
                $"'{Redaction.Of(text)}' is not an address. Give a full address, such as https://ingest.example.org."
            );
    }
}
